package dev.maas.stellar;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.metron.maas.config.Action;
import org.apache.metron.maas.config.MaaSConfig;
import org.apache.metron.maas.config.ModelEndpoint;
import org.apache.metron.maas.config.ModelRequest;

/** The parts of the old deploy client that touch ZooKeeper. */
final class DeployClient {
  private final Lines lines;

  DeployClient(Lines lines) {
    this.lines = lines;
  }

  /** Puts a request into the queue: `--mode ADD`, `REMOVE`, or anything else, which leaves `null` there. */
  void enqueue(Arguments arguments) throws Exception {
    try (CuratorFramework curator = StellarClient.connected(arguments.connect())) {
      MaaSConfig config = StellarClient.configuration(curator);
      String path = (String) config.getQueueConfig().get("zk_path");
      byte[] data = Lines.json(request(arguments)).getBytes("UTF-8");
      new SimpleDistributedQueue(curator, path).offer(data);
      lines.print("queued", "queue", path, "data", new String(data, "UTF-8"));
    }
  }

  private static ModelRequest request(Arguments arguments) {
    Action action;
    try {
      action = Action.valueOf(arguments.required("mode"));
    } catch (IllegalArgumentException noRequest) {
      return null;
    }
    ModelRequest request = new ModelRequest();
    request.setName(arguments.option("name"));
    request.setVersion(arguments.option("version"));
    request.setNumInstances(arguments.number("instances", 1));
    request.setMemory(arguments.number("memory", 0));
    request.setAction(action);
    request.setPath(arguments.option("path"));
    return request;
  }

  /** The text of the old LIST, narrowed by `--name` and `--version`. */
  void list(Arguments arguments) throws Exception {
    try (StellarClient client = new StellarClient(arguments.connect(), new Follow.Silent())) {
      Map<String, StringBuilder> models = new TreeMap<>();
      client.discovery().models().all().stream()
          .filter(model -> matches(arguments.option("name"), model.getName()))
          .filter(model -> matches(arguments.option("version"), model.getVersion()))
          .sorted(Comparator.comparing((ModelEndpoint model) -> model.getEndpoint().getUrl()))
          .forEach(
              model -> {
                String heading = "Model " + model.getName() + " @ " + model.getVersion();
                StringBuilder text = models.computeIfAbsent(heading, StringBuilder::new);
                text.append("\n").append(model.getName()).append(":").append(model.getVersion());
                text.append(" @ ").append(model.getEndpoint().getUrl()).append(" serving:");
                model
                    .getEndpoint()
                    .getFunctions()
                    .forEach((name, path) -> text.append("\n\t").append(name).append("=").append(path));
              });
      models.values().forEach(text -> lines.text(text.toString()));
    }
  }

  private static boolean matches(String wanted, String actual) {
    return wanted == null || wanted.equals(actual);
  }
}
