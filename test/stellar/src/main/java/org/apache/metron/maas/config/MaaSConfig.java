package org.apache.metron.maas.config;

import java.util.HashMap;
import java.util.Map;

/** The configuration node. A field that is not given keeps its default. */
public class MaaSConfig {
  private Queue queue = Queue.ZOOKEEPER;
  private Map<String, Object> queueConfig = new HashMap<>(Map.of("zk_path", "/maas/queue"));
  private String serviceRoot = "/maas/service";

  public Queue getQueue() {
    return queue;
  }

  public void setQueue(Queue queue) {
    this.queue = queue;
  }

  public Map<String, Object> getQueueConfig() {
    return queueConfig;
  }

  public void setQueueConfig(Map<String, Object> queueConfig) {
    this.queueConfig = queueConfig;
  }

  public String getServiceRoot() {
    return serviceRoot;
  }

  public void setServiceRoot(String serviceRoot) {
    this.serviceRoot = serviceRoot;
  }
}
