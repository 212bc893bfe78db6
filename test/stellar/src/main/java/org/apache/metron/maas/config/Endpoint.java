package org.apache.metron.maas.config;

import java.util.Map;
import org.codehaus.jackson.annotate.JsonPropertyOrder;

/** Where a model serves, and what. Exactly these fields: Jackson refuses others. */
@JsonPropertyOrder({"url", "functions"})
public class Endpoint {
  private String url;
  private Map<String, String> functions;

  public String getUrl() {
    return url;
  }

  public void setUrl(String url) {
    this.url = url;
  }

  public Map<String, String> getFunctions() {
    return functions;
  }

  public void setFunctions(Map<String, String> functions) {
    this.functions = functions;
  }
}
