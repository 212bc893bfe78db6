package dev.maas.stellar;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.metron.maas.config.MaaSConfig;
import org.apache.metron.maas.config.ModelEndpoint;
import org.apache.zookeeper.KeeperException;
import org.codehaus.jackson.map.ObjectMapper;

/** The two Stellar functions, on a client of its own. What fails in Stellar and gives null there is thrown here. */
final class StellarClient implements Closeable {
  private static final String CONFIGURATION = "/metron/maas/config";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CuratorFramework curator;
  private final MaaSConfig config;
  private final ModelDiscovery discovery;

  /** @param connect `host:port,host:port/chroot` */
  StellarClient(String connect, ModelDiscovery.Listener listener) throws Exception {
    curator = connected(connect);
    try {
      config = configuration(curator);
      discovery = new ModelDiscovery(curator, config.getServiceRoot(), listener);
      discovery.start();
    } catch (Exception reason) {
      curator.close();
      throw reason;
    }
  }

  static CuratorFramework connected(String connect) {
    CuratorFramework curator = CuratorFrameworkFactory.newClient(connect, new ExponentialBackoffRetry(1000, 3));
    curator.start();
    return curator;
  }

  /** Defaults where the node is missing; fails on whatever else is not exactly the configuration's fields. */
  static MaaSConfig configuration(CuratorFramework curator) throws Exception {
    byte[] data;
    try {
      data = curator.getData().forPath(CONFIGURATION);
    } catch (KeeperException.NoNodeException missing) {
      return new MaaSConfig();
    }
    MaaSConfig config = JSON.readValue(data, MaaSConfig.class);
    if (config == null) {
      throw new IOException("the configuration is null");
    }
    return config;
  }

  MaaSConfig config() {
    return config;
  }

  ModelDiscovery discovery() {
    return discovery;
  }

  /** MAAS_GET_ENDPOINT: null where there is none. Keys url, name, version, and `endpoint:FUNCTION` for each. */
  Map<String, String> getEndpoint(String model, String version) {
    VisibleModels models = discovery.models();
    String wanted = version == null ? models.highestVersion(model) : version;
    ModelEndpoint found = wanted == null ? null : models.any(model, wanted);
    if (found == null) {
      return null;
    }
    Map<String, String> endpoint = new HashMap<>();
    endpoint.put("url", found.getEndpoint().getUrl());
    endpoint.put("name", found.getName());
    endpoint.put("version", found.getVersion());
    found.getEndpoint().getFunctions().forEach((name, path) -> endpoint.put("endpoint:" + name, path));
    return endpoint;
  }

  /**
   * MAAS_MODEL_APPLY. A function named `apply` takes precedence over the one asked for, and one that the endpoint does
   * not name is a path itself. The arguments are a map of the language, which is a HashMap that is filled from behind.
   */
  static Map<String, Object> modelApply(Map<String, String> endpoint, String function, Map<String, String> arguments)
      throws Exception {
    String path = function == null ? "apply" : function;
    if (endpoint.containsKey("endpoint:" + path)) {
      path = "" + endpoint.get("endpoint:" + path);
    }
    if (endpoint.containsKey("endpoint:apply")) {
      path = "" + endpoint.get("endpoint:apply");
    }
    String url = endpoint.get("url");
    if (url.endsWith("/")) {
      url = url.substring(0, url.length() - 1);
    }
    if (path.startsWith("/")) {
      path = path.substring(1);
    }
    return ModelCall.get(url + "/" + path, literal(arguments));
  }

  private static Map<String, String> literal(Map<String, String> arguments) {
    List<String> written = new ArrayList<>(arguments.keySet());
    Collections.reverse(written);
    Map<String, String> map = new HashMap<>();
    written.forEach(name -> map.put(name, arguments.get(name)));
    return map;
  }

  @Override
  public void close() throws IOException {
    discovery.close();
    curator.close();
  }
}
