package dev.maas.stellar;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.apache.metron.maas.config.Endpoint;
import org.apache.metron.maas.config.ModelEndpoint;
import org.codehaus.jackson.JsonNode;
import org.codehaus.jackson.map.ObjectMapper;

/**
 * Curator's own reading and writing of registrations, without a ZooKeeper. Each line of standard input is
 * `decode BASE64` or `encode JSON`; each is answered by one line.
 */
final class Codec {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Lines lines;
  private final JsonInstanceSerializer<ModelEndpoint> serializer = new JsonInstanceSerializer<>(ModelEndpoint.class);

  Codec(Lines lines) {
    this.lines = lines;
  }

  void run() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", 2);
      if (words[0].equals("decode")) {
        decode(Base64.getDecoder().decode(words.length < 2 ? "" : words[1]));
      } else {
        encode(JSON.readTree(words[1]));
      }
    }
  }

  /** What discovery does with the data of one node. */
  private void decode(byte[] data) {
    try {
      ServiceInstance<ModelEndpoint> instance = serializer.deserialize(data);
      VisibleModels models = new VisibleModels();
      models.add(instance.getPayload());
      lines.print("decoded", "endpoint", Lines.shown(models.all().get(0)), "registeredAt", instance.getRegistrationTimeUTC());
    } catch (Exception reason) {
      lines.print("fatal", "error", Lines.shown(reason));
    }
  }

  private void encode(JsonNode wanted) throws Exception {
    Endpoint endpoint = new Endpoint();
    endpoint.setUrl(wanted.get("url").getTextValue());
    endpoint.setFunctions(functions(wanted.get("functions")));
    ModelEndpoint payload = new ModelEndpoint();
    payload.setEndpoint(endpoint);
    payload.setName(wanted.get("model").getTextValue());
    payload.setVersion(wanted.get("version").getTextValue());
    payload.setContainerId(wanted.get("id").getTextValue());
    java.net.URL url = new java.net.URL(endpoint.getUrl());
    ServiceInstance<ModelEndpoint> instance =
        new ServiceInstance<>(
            payload.getName(),
            payload.getContainerId(),
            url.getHost(),
            url.getPort(),
            null,
            payload,
            wanted.get("registeredAt").getLongValue(),
            ServiceType.STATIC,
            null);
    lines.print("encoded", "base64", Base64.getEncoder().encodeToString(serializer.serialize(instance)));
  }

  private static Map<String, String> functions(JsonNode node) throws IOException {
    Map<String, String> functions = new LinkedHashMap<>();
    node.getFields().forEachRemaining(field -> functions.put(field.getKey(), field.getValue().getTextValue()));
    return functions;
  }
}
