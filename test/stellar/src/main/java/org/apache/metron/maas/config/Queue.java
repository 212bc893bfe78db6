package org.apache.metron.maas.config;

/** Kinds of request queue. */
public enum Queue {
  ZOOKEEPER
}
