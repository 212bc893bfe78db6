package dev.maas.stellar;

import java.io.Closeable;
import java.io.IOException;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.apache.metron.maas.config.ModelEndpoint;
import org.apache.zookeeper.KeeperException;

/**
 * Follows the registrations as the client in the field does: whatever happens anywhere below the root makes it read
 * everything again, and only a reading without any failure replaces what it knew. Hence one unreadable node hides
 * every model from a new client and freezes a running one, and a first view costs the square of the registrations.
 */
final class ModelDiscovery implements Closeable {
  /** Told of each reading, in order. */
  interface Listener {
    void read(VisibleModels models);

    void failed(Exception reason);
  }

  private final CuratorFramework client;
  private final String root;
  private final Listener listener;
  private final ServiceDiscovery<ModelEndpoint> discovery;
  private final TreeCache cache;
  private volatile VisibleModels models = new VisibleModels();
  private volatile Exception lastFailure;

  ModelDiscovery(CuratorFramework client, String root, Listener listener) {
    this.client = client;
    this.root = root;
    this.listener = listener;
    this.discovery =
        ServiceDiscoveryBuilder.builder(ModelEndpoint.class)
            .client(client)
            .basePath(root)
            .serializer(new JsonInstanceSerializer<>(ModelEndpoint.class))
            .build();
    this.cache = new TreeCache(client, root);
    this.cache.getListenable().addListener((any, event) -> readAll());
  }

  /** Makes the root where it is missing (with Curator's default data, this machine's address) and reads once. */
  void start() throws Exception {
    if (client.checkExists().forPath(root) == null) {
      try {
        client.create().creatingParentsIfNeeded().forPath(root);
      } catch (KeeperException.NodeExistsException somebodyElseDid) {
        // As good as made here.
      }
    }
    discovery.start();
    readAll();
    cache.start();
  }

  VisibleModels models() {
    return models;
  }

  /** Why the latest reading failed, or null where it did not. */
  Exception lastFailure() {
    return lastFailure;
  }

  private synchronized void readAll() {
    try {
      VisibleModels read = new VisibleModels();
      for (String name : discovery.queryForNames()) {
        for (ServiceInstance<ModelEndpoint> instance : discovery.queryForInstances(name)) {
          read.add(instance.getPayload());
        }
      }
      models = read;
      lastFailure = null;
      listener.read(read);
    } catch (Exception reason) {
      lastFailure = reason;
      listener.failed(reason);
    }
  }

  @Override
  public void close() throws IOException {
    cache.close();
    discovery.close();
  }
}
