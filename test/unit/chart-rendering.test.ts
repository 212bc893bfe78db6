/** What the chart makes: the operator's pods, what belongs to several replicas, network policies, the CRD. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { agentPort } from '../../src/contracts/agent-http.ts';
import { customResourceDefinition } from '../../src/contracts/crd.ts';
import { modesConfigMap } from '../../src/contracts/modes.ts';
import { labels, managedBy } from '../../src/contracts/names.ts';
import { cachePort } from '../../src/contracts/payload-cache.ts';
import { settingsConfigMap, settingsKey } from '../../src/contracts/settings.ts';
import { chartDirectory, lint, minimalValues, namespace, one, type Rendered, render } from './helm.ts';

interface PodSpec {
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly {
    readonly command: readonly string[];
    readonly image: string;
    readonly securityContext: Record<string, unknown>;
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
    readonly livenessProbe?: unknown;
    readonly readinessProbe?: unknown;
    readonly env?: readonly { readonly name: string }[];
  }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly secret?: { readonly secretName: string };
  }[];
  readonly [field: string]: unknown;
}

function podOf(objects: readonly Rendered[]): PodSpec {
  const spec = one(objects, 'Deployment', 'maas-operator')['spec'] as { template: { spec: PodSpec } };
  return spec.template.spec;
}

function checkPodOf(objects: readonly Rendered[]): PodSpec {
  return one(objects, 'Pod', 'maas-operator-check')['spec'] as PodSpec;
}

describe('the chart', () => {
  it('has the version of the project', () => {
    const chart = parse(readFileSync(join(chartDirectory, 'Chart.yaml'), 'utf8')) as Record<string, string>;
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    expect([chart['version'], chart['appVersion']]).toEqual([version, version]);
  });

  it('pleases helm lint', () => {
    expect(lint(minimalValues)).toContain('0 chart(s) failed');
  });

  it('puts everything that is namespaced where it belongs', () => {
    const clusterScoped = ['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'];
    for (const object of render({ networkPolicy: { enabled: true }, replicas: 2 })) {
      const wanted = clusterScoped.includes(object.kind) ? undefined : namespace;
      expect([object.kind, object.metadata.name, object.metadata.namespace]).toEqual([
        object.kind,
        object.metadata.name,
        wanted,
      ]);
    }
  });

  it('keeps two releases apart that share a cluster', () => {
    const names = (objects: readonly Rendered[]) =>
      objects.filter((object) => /^ClusterRole/.test(object.kind)).map((object) => object.metadata.name);
    const first = names(render());
    expect(first.length).toBeGreaterThan(0);
    expect(names(render({}, 'second')).filter((name) => first.includes(name))).toEqual([]);
  });
});

describe('the payload cache', () => {
  const enabled = (more: object = {}) => render({ payloadCache: { enabled: true, size: '20Gi', ...more } });
  const cachePodOf = (objects: readonly Rendered[]) =>
    (one(objects, 'DaemonSet', 'maas-operator-cache')['spec'] as { template: { spec: PodSpec } }).template.spec;

  it('is not there unless it is asked for', () => {
    expect(render().filter(({ metadata }) => metadata.name.endsWith('-cache'))).toEqual([]);
  });

  it('is restricted, has no token, and a bounded part of the disk that it asks for', () => {
    const spec = cachePodOf(enabled());
    expect(spec.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      fsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec['automountServiceAccountToken']).toBe(false);
    expect(spec['hostNetwork'] ?? spec['hostPID'] ?? spec['hostIPC']).toBeUndefined();
    expect(spec.volumes).toEqual([{ name: 'files', emptyDir: { sizeLimit: '20Gi' } }]);
    expect(spec.containers).toHaveLength(1);
    expect(spec.containers[0]).toMatchObject({
      command: ['node', '--max-old-space-size=96', '/app/payload-cache.cjs', '/cache', '20Gi'],
      ports: [{ name: 'http', containerPort: cachePort }],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      resources: {
        requests: { cpu: '20m', memory: '128Mi', 'ephemeral-storage': '20Gi' },
        limits: { memory: '512Mi' },
      },
    });
    expect(JSON.stringify(spec.containers[0]?.ports)).not.toContain('hostPort');
  });

  it('is reached on its own node, under the address that agents are told', () => {
    const objects = enabled();
    const service = one(objects, 'Service', 'maas-operator-cache')['spec'];
    expect(service).toMatchObject({ internalTrafficPolicy: 'Local', ports: [{ port: cachePort, targetPort: 'http' }] });
    const settings = one(objects, 'ConfigMap', settingsConfigMap)['data'] as Record<string, string>;
    const { payloadCache } = JSON.parse(settings[settingsKey] ?? '') as { payloadCache: unknown };
    expect(payloadCache).toEqual({
      url: `http://maas-operator-cache.${namespace}.svc:${cachePort}`,
      withTokens: false,
    });
  });

  it('may be asked by the pods of models alone, where there are policies', () => {
    const objects = render({ payloadCache: { enabled: true }, networkPolicy: { enabled: true } });
    expect(one(objects, 'NetworkPolicy', 'maas-operator-cache')['spec']).toMatchObject({
      ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { [labels.managedBy]: managedBy } } }] }],
    });
  });

  it('goes where the values send it', () => {
    const placement = { nodeSelector: { models: 'yes' }, tolerations: [{ operator: 'Exists' }] };
    expect(cachePodOf(enabled(placement))).toMatchObject(placement);
  });
});

describe("the operator's pod", () => {
  it.each([
    ['the operator', podOf],
    ['the test', checkPodOf],
  ])('is restricted: %s', (_who, find) => {
    const spec = find(render());
    expect(spec.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.containers.map((container) => container.securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
    expect(spec['hostNetwork'] ?? spec['hostPID'] ?? spec['hostIPC']).toBeUndefined();
  });

  it('leaves the user to the platform when asked', () => {
    expect(podOf(render({ runAsUser: null })).securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('runs the operator with the settings of the ConfigMap', () => {
    const spec = podOf(render());
    const [container] = spec.containers;
    expect(container?.command).toEqual(['node', '/app/operator.cjs', 'run', '--settings', `/etc/maas/${settingsKey}`]);
    expect(container?.volumeMounts).toEqual([{ name: 'settings', mountPath: '/etc/maas', readOnly: true }]);
    expect(spec.volumes).toEqual([{ name: 'settings', configMap: { name: settingsConfigMap } }]);
    expect(container?.env?.map((variable) => variable.name)).toEqual(['POD_NAME', 'POD_NAMESPACE', 'LOG_LEVEL']);
    expect(container?.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
    expect(container?.livenessProbe).toMatchObject({ httpGet: { path: '/healthz', port: 'http' } });
    expect(container?.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'http' } });
  });

  it('mounts a delegation token where one is named, into the operator and its test', () => {
    const { hdfs } = minimalValues;
    const objects = render({ ...minimalValues, hdfs: { ...hdfs, tokenSecret: 'hdfs-token' } });
    for (const { containers, volumes } of [podOf(objects), checkPodOf(objects)]) {
      expect(volumes[1]).toEqual({ name: 'hdfs-token', secret: { secretName: 'hdfs-token' } });
      const mount = { name: 'hdfs-token', mountPath: '/etc/maas-hdfs', readOnly: true };
      expect(containers[0]?.volumeMounts[1]).toEqual(mount);
    }
  });

  it('is tested with the same settings, without a token', () => {
    const spec = checkPodOf(render());
    expect(spec.containers[0]?.command).toEqual([
      'node',
      '/app/operator.cjs',
      'check',
      '--settings',
      '/etc/maas/settings.json',
    ]);
    expect(spec['automountServiceAccountToken']).toBe(false);
  });

  it('goes where the values send it', () => {
    const placement = {
      nodeSelector: { role: 'infra' },
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'system-cluster-critical',
      imagePullSecrets: [{ name: 'registry' }],
    };
    expect(podOf(render(placement))).toMatchObject(placement);
  });

  it('takes further labels and annotations, but not another identity', () => {
    const objects = render({ podLabels: { team: 'a' }, podAnnotations: { note: 'b' } });
    const spec = one(objects, 'Deployment', 'maas-operator')['spec'] as {
      selector: { matchLabels: Record<string, string> };
      template: { metadata: { labels: Record<string, string>; annotations: Record<string, string> } };
    };
    expect(spec.template.metadata.labels).toMatchObject({ ...spec.selector.matchLabels, team: 'a' });
    expect(spec.template.metadata.annotations).toMatchObject({ note: 'b' });
  });
});

describe('replicas', () => {
  it('one has no budget, which would block the drain of its node', () => {
    const objects = render();
    expect(objects.filter((object) => object.kind === 'PodDisruptionBudget')).toEqual([]);
    expect(podOf(objects)['topologySpreadConstraints']).toBeUndefined();
  });

  it('two are spread and leave one at a time', () => {
    const objects = render({ replicas: 2 });
    const budget = one(objects, 'PodDisruptionBudget', 'maas-operator')['spec'] as Record<string, unknown>;
    const { selector } = one(objects, 'Deployment', 'maas-operator')['spec'] as { selector: unknown };
    expect(budget).toMatchObject({ maxUnavailable: 1, selector });
    expect(podOf(objects)['topologySpreadConstraints']).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: selector },
    ]);
  });
});

describe('the modes', () => {
  it('are no part of the chart, so that an upgrade leaves them as they are', () => {
    const maps = render().filter((object) => object.kind === 'ConfigMap');
    expect(maps.map((object) => object.metadata.name)).not.toContain(modesConfigMap);
  });
});

describe('network policies', () => {
  const policies = (values: object) => render(values).filter((object) => object.kind === 'NetworkPolicy');

  it('are off by default', () => {
    expect(policies({})).toEqual([]);
  });

  it("admit clients to every port of a model but the agent's, and the operator to that one", () => {
    const [, models] = policies({ namespaces: ['fraud'], networkPolicy: { enabled: true } });
    expect(models?.metadata).toMatchObject({ name: 'maas-operator-models', namespace: 'fraud' });
    const spec = models?.['spec'] as {
      podSelector: { matchLabels: Record<string, string> };
      ingress: { ports: { port: number; endPort?: number }[]; from?: unknown[] }[];
    };
    expect(spec.podSelector.matchLabels).toEqual({ [labels.managedBy]: managedBy });
    const [agent, clients] = spec.ingress;
    expect(agent?.ports.map((port) => port.port)).toEqual([agentPort]);
    expect(agent?.from).toHaveLength(1);
    expect(clients?.from).toBeUndefined();
    expect(clients?.ports.map((port) => [port.port, port.endPort])).toEqual([
      [1, agentPort - 1],
      [agentPort + 1, 65_535],
    ]);
  });

  it('name who may call models and who may scrape', () => {
    const peers = (app: string) => [{ podSelector: { matchLabels: { app } } }];
    const [operator, models] = policies({
      networkPolicy: {
        enabled: true,
        modelNamespaces: ['fraud'],
        clients: peers('storm'),
        scrapers: peers('prometheus'),
      },
    });
    const ingress = (policy: Rendered | undefined) =>
      (policy?.['spec'] as { ingress: { from?: unknown[] }[] } | undefined)?.ingress ?? [];
    expect(ingress(operator)[0]?.from).toEqual(peers('prometheus'));
    expect(ingress(models)[0]?.from).toEqual(expect.arrayContaining(peers('prometheus')));
    expect(ingress(models)[1]?.from).toEqual(peers('storm'));
  });
});

describe('the CRD', () => {
  it('is the one of the sources, and stays when the release goes', () => {
    const rendered = one(render(), 'CustomResourceDefinition', 'modeldeployments.maas.dev');
    const { annotations, ...metadata } = rendered.metadata;
    expect(annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect({ ...rendered, metadata }).toEqual(JSON.parse(JSON.stringify(customResourceDefinition())));
  });

  it('can be left to somebody else', () => {
    expect(render({ crds: { install: false } }).filter((object) => object.kind === 'CustomResourceDefinition')).toEqual(
      [],
    );
  });
});

describe('metrics', () => {
  it('are found by a ServiceMonitor through the Service', () => {
    const objects = render({ metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } } });
    const monitor = one(objects, 'ServiceMonitor', 'maas-operator');
    const service = one(objects, 'Service', 'maas-operator-metrics');
    const { selector } = monitor['spec'] as { selector: { matchLabels: Record<string, string> } };
    expect(service.metadata.labels).toMatchObject(selector.matchLabels);
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
  });
});
