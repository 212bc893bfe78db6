package dev.maas.stellar;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.utils.ZKPaths;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.codehaus.jackson.JsonNode;
import org.codehaus.jackson.map.ObjectMapper;

/**
 * Reads and writes nodes for tests. Each line of standard input is a JSON object with `op`, `path` and, where it
 * matters, `data` (base64); each is answered by one line: `done`, or `failed` with ZooKeeper's code. The session, and
 * with it what is ephemeral, lasts until standard input ends.
 */
final class Nodes {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Nobody but the holder of a password that nobody has can read it. */
  private static final List<ACL> HIDDEN = List.of(new ACL(Perms.ALL, new Id("digest", "nobody:x")));

  private final Lines lines;

  Nodes(Lines lines) {
    this.lines = lines;
  }

  void run(Arguments arguments) throws Exception {
    try (CuratorFramework curator = StellarClient.connected(arguments.connect())) {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        try {
          one(curator, JSON.readTree(line));
        } catch (KeeperException refused) {
          lines.print("failed", "code", refused.code().name());
        }
      }
    }
  }

  private void one(CuratorFramework curator, JsonNode command) throws Exception {
    String path = command.get("path").getTextValue();
    byte[] data = Base64.getDecoder().decode(command.path("data").isTextual() ? command.get("data").getTextValue() : "");
    switch (command.get("op").getTextValue()) {
      case "create":
        parents(curator, path);
        curator.create().withMode(CreateMode.PERSISTENT).withACL(Ids.OPEN_ACL_UNSAFE).forPath(path, data);
        lines.print("done");
        break;
      case "create-ephemeral":
        parents(curator, path);
        curator.create().withMode(CreateMode.EPHEMERAL).withACL(Ids.OPEN_ACL_UNSAFE).forPath(path, data);
        lines.print("done");
        break;
      case "create-hidden":
        parents(curator, path);
        curator.create().withMode(CreateMode.PERSISTENT).withACL(HIDDEN).forPath(path, data);
        lines.print("done");
        break;
      case "set":
        curator.setData().forPath(path, data);
        lines.print("done");
        break;
      case "delete":
        curator.delete().deletingChildrenIfNeeded().forPath(path);
        lines.print("done");
        break;
      case "get":
        Stat stat = new Stat();
        byte[] read = curator.getData().storingStatIn(stat).forPath(path);
        lines.print(
            "done",
            "data", read == null ? null : Base64.getEncoder().encodeToString(read),
            "owner", Long.toHexString(stat.getEphemeralOwner()),
            "version", stat.getVersion());
        break;
      case "children":
        lines.print("done", "children", curator.getChildren().forPath(path));
        break;
      default:
        throw new IllegalArgumentException("what is " + command + "?");
    }
  }

  /** Missing parents are made without data, as the original makes them. */
  private static void parents(CuratorFramework curator, String path) throws Exception {
    String parent = ZKPaths.getPathAndNode(path).getPath();
    if (!parent.equals("/") && curator.checkExists().forPath(parent) == null) {
      parents(curator, parent);
      try {
        curator.create().withACL(Ids.OPEN_ACL_UNSAFE).forPath(parent, new byte[0]);
      } catch (KeeperException.NodeExistsException somebodyElseDid) {
        // As good as made here.
      }
    }
  }
}
