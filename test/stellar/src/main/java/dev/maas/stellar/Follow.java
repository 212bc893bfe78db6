package dev.maas.stellar;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.metron.maas.config.ModelEndpoint;

/**
 * Says what clients see, as they see it, until standard input ends. One client for each ZooKeeper named. The line
 * `list` on standard input prints what each client knows now.
 */
final class Follow {
  private final Lines lines;
  private final Map<String, StellarClient> clients = new LinkedHashMap<>();

  Follow(Lines lines) {
    this.lines = lines;
  }

  void run(Arguments arguments) throws Exception {
    for (String connect : arguments.plain()) {
      try {
        clients.put(connect, new StellarClient(connect, new Changes(connect)));
        lines.print("started", "client", connect);
      } catch (Exception reason) {
        lines.print("broken", "client", connect, "error", Lines.shown(reason));
      }
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("list")) {
        clients.forEach((connect, client) -> lines.print("list", "client", connect, "endpoints", shown(client)));
      }
    }
    atOnce(clients.values(), StellarClient::close);
  }

  /** Opens a client for each ZooKeeper, all at once, prints what each sees once it has read everything, in order. */
  static void list(Lines lines, Arguments arguments) throws Exception {
    Map<String, Runnable> prints = new ConcurrentHashMap<>();
    atOnce(
        arguments.plain(),
        connect -> {
          try (StellarClient client = new StellarClient(connect, new Silent())) {
            Exception failure = client.discovery().lastFailure();
            Object endpoints = shown(client);
            String error = failure == null ? null : Lines.shown(failure);
            prints.put(
                connect, () -> lines.print("list", "client", connect, "endpoints", endpoints, "error", error));
          } catch (Exception reason) {
            prints.put(connect, () -> lines.print("broken", "client", connect, "error", Lines.shown(reason)));
          }
        });
    arguments.plain().forEach(connect -> prints.get(connect).run());
  }

  private interface Step<T> {
    void on(T each) throws Exception;
  }

  /** Curator takes its time to open and close: not one after the other. */
  private static <T> void atOnce(Collection<T> all, Step<T> step) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try {
      List<Callable<Void>> steps = new ArrayList<>();
      for (T each : all) {
        steps.add(
            () -> {
              step.on(each);
              return null;
            });
      }
      for (Future<Void> done : threads.invokeAll(steps)) {
        done.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static Object shown(StellarClient client) {
    return client.discovery().models().all().stream().map(Lines::shown).collect(Collectors.toList());
  }

  /** Reports nothing. */
  static final class Silent implements ModelDiscovery.Listener {
    @Override
    public void read(VisibleModels models) {}

    @Override
    public void failed(Exception reason) {}
  }

  /** A line for each endpoint that came or went, and one for each reading that failed. */
  private final class Changes implements ModelDiscovery.Listener {
    private final String connect;
    private Map<String, Map<String, Object>> known = Map.of();

    Changes(String connect) {
      this.connect = connect;
    }

    @Override
    public void read(VisibleModels models) {
      Map<String, Map<String, Object>> now = new TreeMap<>();
      for (ModelEndpoint endpoint : models.all()) {
        Map<String, Object> shown = Lines.shown(endpoint);
        now.put(Lines.json(shown), shown);
      }
      Map<String, Map<String, Object>> before = known;
      known = now;
      report("vanished", before, now.keySet());
      report("appeared", now, before.keySet());
      lines.print("read", "client", connect, "count", now.size());
    }

    @Override
    public void failed(Exception reason) {
      lines.print("unreadable", "client", connect, "error", Lines.shown(reason));
    }

    private void report(String event, Map<String, Map<String, Object>> endpoints, Set<String> without) {
      Set<String> keys = new HashSet<>(endpoints.keySet());
      keys.removeAll(without);
      keys.stream()
          .sorted()
          .forEach(key -> lines.print(event, "client", connect, "endpoint", endpoints.get(key)));
    }
  }
}
