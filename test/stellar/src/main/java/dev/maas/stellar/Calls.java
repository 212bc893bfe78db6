package dev.maas.stellar;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.http.NoHttpResponseException;
import org.codehaus.jackson.JsonNode;
import org.codehaus.jackson.map.ObjectMapper;

/** Calls of models: one, or many at once for a while. */
final class Calls {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Lines lines;

  Calls(Lines lines) {
    this.lines = lines;
  }

  /** One MAAS_MODEL_APPLY on one MAAS_GET_ENDPOINT. */
  void apply(Arguments arguments) throws Exception {
    try (StellarClient client = new StellarClient(arguments.connect(), new Follow.Silent())) {
      long begin = System.nanoTime();
      Map<String, String> endpoint = null;
      try {
        endpoint = client.getEndpoint(arguments.required("model"), arguments.option("version"));
        Object answer =
            endpoint == null
                ? null
                : StellarClient.modelApply(endpoint, arguments.option("function"), arguments.pairs());
        lines.print("answer", "endpoint", endpoint, "answer", answer, "millis", millisSince(begin));
      } catch (Exception reason) {
        lines.print(
            "failed",
            "kind", kind(reason),
            "endpoint", endpoint,
            "error", Lines.shown(reason),
            "millis", millisSince(begin));
      }
    }
  }

  /**
   * No ZooKeeper: each line of standard input is a call (url, functions, function, args), which is made and answered by
   * one line; by a new thread, unless it has `sameThread`.
   */
  void call() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    ExecutorService thread = Executors.newSingleThreadExecutor();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode call = JSON.readTree(line);
      if (!call.has("sameThread")) {
        thread.shutdown();
        thread = Executors.newSingleThreadExecutor();
      }
      thread.submit(() -> call(call)).get();
    }
  }

  private void call(JsonNode call) {
    Map<String, String> endpoint = new HashMap<>();
    endpoint.put("url", call.get("url").getTextValue());
    texts(call.get("functions")).forEach((name, path) -> endpoint.put("endpoint:" + name, path));
    String function = call.has("function") ? call.get("function").getTextValue() : null;
    try {
      lines.print("answer", "answer", StellarClient.modelApply(endpoint, function, texts(call.get("args"))));
    } catch (Exception reason) {
      lines.print("failed", "kind", kind(reason), "error", Lines.shown(reason));
    }
  }

  private static Map<String, String> texts(JsonNode node) {
    Map<String, String> texts = new LinkedHashMap<>();
    node.getFields().forEachRemaining(field -> texts.put(field.getKey(), field.getValue().getTextValue()));
    return texts;
  }

  /**
   * Calls a model from `--threads` threads until `--count` calls were made or `--for` milliseconds are over (one
   * minute at most unless said otherwise), or standard input ends. A line for each failed call, one for the sum. With
   * `--tally FIELD` the sum counts, for each second, the answers by the value of that field and the URL called.
   */
  void load(Arguments arguments) throws Exception {
    int threads = arguments.number("threads", 4);
    int count = arguments.number("count", Integer.MAX_VALUE);
    int pause = arguments.number("pause", 0);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(arguments.number("for", 60_000));
    String model = arguments.required("model");

    StellarClient client = new StellarClient(arguments.connect(), new Follow.Silent());
    AtomicInteger begun = new AtomicInteger();
    AtomicInteger answered = new AtomicInteger();
    AtomicInteger failed = new AtomicInteger();
    Map<String, AtomicInteger> kinds = new java.util.concurrent.ConcurrentSkipListMap<>();
    Map<String, AtomicInteger> urls = new java.util.concurrent.ConcurrentSkipListMap<>();
    String tally = arguments.option("tally");
    Map<String, Map<String, AtomicInteger>> seconds = new java.util.concurrent.ConcurrentSkipListMap<>();
    CountDownLatch over = new CountDownLatch(threads);
    Stop stop = Stop.whenInputEnds();

    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Thread caller =
          new Thread(
              () -> {
                while (!stop.requested() && System.nanoTime() < end && begun.getAndIncrement() < count) {
                  String url = null;
                  try {
                    Map<String, String> endpoint = client.getEndpoint(model, arguments.option("version"));
                    if (endpoint == null) {
                      throw new NoEndpointException();
                    }
                    url = endpoint.get("url");
                    Map<String, Object> answer =
                        StellarClient.modelApply(endpoint, arguments.option("function"), arguments.pairs());
                    if (tally != null) {
                      seconds
                          .computeIfAbsent(
                              String.valueOf(System.currentTimeMillis() / 1_000),
                              any -> new java.util.concurrent.ConcurrentSkipListMap<>())
                          .computeIfAbsent(answer.get(tally) + " " + url, any -> new AtomicInteger())
                          .incrementAndGet();
                    }
                    answered.incrementAndGet();
                    urls.computeIfAbsent(url, any -> new AtomicInteger()).incrementAndGet();
                  } catch (Exception reason) {
                    failed.incrementAndGet();
                    kinds.computeIfAbsent(kind(reason), any -> new AtomicInteger()).incrementAndGet();
                    lines.print("failed", "kind", kind(reason), "url", url, "error", Lines.shown(reason));
                    stop.await(10);
                  }
                  if (pause > 0) {
                    stop.await(pause);
                  }
                }
                over.countDown();
              },
              "caller-" + i);
      caller.setDaemon(true);
      callers.add(caller);
    }
    lines.print("started", "threads", threads);
    callers.forEach(Thread::start);
    // A model that never answers holds its caller for ever: there is no timeout, so count it and go.
    long patience = Math.max(0, end - System.nanoTime()) + TimeUnit.SECONDS.toNanos(5);
    boolean allReturned = stop.awaitOver(over, patience);
    lines.print(
        "sum",
        "answered", answered.get(),
        "failed", failed.get(),
        "kinds", kinds,
        "urls", urls,
        "seconds", seconds,
        "unfinished", allReturned ? 0 : over.getCount());
  }

  /** No endpoint is known for the model. */
  private static final class NoEndpointException extends IOException {
    private static final long serialVersionUID = 1L;

    NoEndpointException() {
      super("no endpoint");
    }
  }

  /** refused, dropped, status, answer, no-endpoint, broken-thread or other. */
  private static String kind(Exception reason) {
    if (reason instanceof NoEndpointException) {
      return "no-endpoint";
    }
    if (reason instanceof ModelCall.StatusException) {
      return "status";
    }
    if (reason instanceof ModelCall.AnswerException) {
      return "answer";
    }
    if (reason instanceof ConnectException) {
      return "refused";
    }
    if (reason instanceof NoHttpResponseException || reason instanceof SocketException) {
      return "dropped";
    }
    return reason instanceof IllegalStateException ? "broken-thread" : "other";
  }

  private static long millisSince(long begin) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
  }
}
