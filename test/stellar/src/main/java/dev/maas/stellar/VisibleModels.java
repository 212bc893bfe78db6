package dev.maas.stellar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.metron.maas.config.ModelEndpoint;

/**
 * What a client knows after one complete reading of the registrations: model, version, endpoints. Filled by one
 * thread, then only read.
 */
final class VisibleModels {
  private final Map<String, Map<String, List<ModelEndpoint>>> models = new HashMap<>();
  private final Map<String, String> highest = new HashMap<>();

  /**
   * Takes up an endpoint under the name that its payload says.
   *
   * @throws NullPointerException where there is no payload or no version, which spoils the whole reading
   */
  void add(ModelEndpoint endpoint) {
    String version = Objects.requireNonNull(endpoint, "no payload").getVersion();
    Objects.requireNonNull(version, "no version");
    String name = endpoint.getName();
    models
        .computeIfAbsent(name, any -> new HashMap<>())
        .computeIfAbsent(version, any -> new ArrayList<>())
        .add(endpoint);
    highest.merge(name, version, (known, other) -> known.compareTo(other) < 0 ? other : known);
  }

  /** The highest version of a model by plain comparison of text, or null. */
  String highestVersion(String model) {
    return highest.get(model);
  }

  /** One endpoint by chance, or null where there is none. */
  ModelEndpoint any(String model, String version) {
    List<ModelEndpoint> endpoints = models.getOrDefault(model, Map.of()).getOrDefault(version, List.of());
    return endpoints.isEmpty() ? null : endpoints.get(ThreadLocalRandom.current().nextInt(endpoints.size()));
  }

  List<ModelEndpoint> all() {
    List<ModelEndpoint> all = new ArrayList<>();
    models.values().forEach(versions -> versions.values().forEach(all::addAll));
    return all;
  }
}
