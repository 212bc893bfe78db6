package dev.maas.stellar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** `--name value` options, `key=value` arguments of a model, and everything else in order. */
final class Arguments {
  private final Map<String, String> options = new LinkedHashMap<>();
  private final Map<String, String> pairs = new LinkedHashMap<>();
  private final List<String> plain = new ArrayList<>();

  Arguments(String[] all, int from) {
    for (int i = from; i < all.length; i++) {
      String one = all[i];
      int equals = one.indexOf('=');
      if (one.startsWith("--")) {
        if (i + 1 == all.length) {
          throw new IllegalArgumentException(one + " wants a value");
        }
        options.put(one.substring(2), all[++i]);
      } else if (equals > 0) {
        pairs.put(one.substring(0, equals), one.substring(equals + 1));
      } else {
        plain.add(one);
      }
    }
  }

  /** The value of an option, or null. */
  String option(String name) {
    return options.get(name);
  }

  String required(String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("--" + name + " is missing");
    }
    return value;
  }

  int number(String name, int otherwise) {
    String value = options.get(name);
    return value == null ? otherwise : Integer.parseInt(value);
  }

  Map<String, String> pairs() {
    return pairs;
  }

  List<String> plain() {
    return plain;
  }

  /** The only ZooKeeper that the command is about. */
  String connect() {
    if (plain.size() != 1) {
      throw new IllegalArgumentException("name one ZooKeeper, as host:port/chroot");
    }
    return plain.get(0);
  }
}
