package org.apache.metron.maas.config;

/** What a request asks for. */
public enum Action {
  ADD,
  REMOVE
}
