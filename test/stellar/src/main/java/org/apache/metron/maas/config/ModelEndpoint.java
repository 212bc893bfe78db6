package org.apache.metron.maas.config;

import org.codehaus.jackson.annotate.JsonPropertyOrder;

/** The payload of a registration. Its full name is on the wire, as the value of "@class". */
@JsonPropertyOrder({"endpoint", "name", "version", "containerId"})
public class ModelEndpoint {
  private Endpoint endpoint;
  private String name;
  private String version;
  private String containerId;

  public Endpoint getEndpoint() {
    return endpoint;
  }

  public void setEndpoint(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  public String getName() {
    return name;
  }

  public void setName(String name) {
    this.name = name;
  }

  public String getVersion() {
    return version;
  }

  public void setVersion(String version) {
    this.version = version;
  }

  public String getContainerId() {
    return containerId;
  }

  public void setContainerId(String containerId) {
    this.containerId = containerId;
  }
}
