package dev.maas.stellar;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.metron.maas.config.Endpoint;
import org.apache.metron.maas.config.ModelEndpoint;
import org.codehaus.jackson.map.ObjectMapper;

/** Standard output: one JSON object a line, each with the time it was made (milliseconds since 1970). */
final class Lines {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);

  /** @param keysAndValues key, value, key, value ... */
  void print(String event, Object... keysAndValues) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("event", event);
    line.put("at", System.currentTimeMillis());
    for (int i = 0; i < keysAndValues.length; i += 2) {
      line.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    text(json(line));
  }

  synchronized void text(String text) {
    out.println(text);
  }

  static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** The parts of an endpoint as the lines show them. */
  static Map<String, Object> shown(ModelEndpoint model) {
    Endpoint endpoint = model.getEndpoint();
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("model", model.getName());
    shown.put("version", model.getVersion());
    shown.put("id", model.getContainerId());
    shown.put("url", endpoint == null ? null : endpoint.getUrl());
    shown.put("functions", endpoint == null || endpoint.getFunctions() == null ? null : new TreeMap<>(endpoint.getFunctions()));
    return shown;
  }

  /** A failure with its kind and its innermost cause, in one line. */
  static String shown(Throwable failure) {
    Throwable inner = failure;
    while (inner.getCause() != null) {
      inner = inner.getCause();
    }
    String text = failure.getClass().getSimpleName() + ": " + failure.getMessage();
    return inner == failure ? text : text + " <- " + inner.getClass().getSimpleName() + ": " + inner.getMessage();
  }
}
