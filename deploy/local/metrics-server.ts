/**
 * metrics-server, for the test of an autoscaler: compiled from its Go module, with the very packages that Kubernetes was
 * compiled from, and put into the cluster with the manifests that come with it. Nothing else in the local world needs it.
 */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built, keyOf, keyOfFiles, projectRoot } from './cache.ts';
import { goBuild, goModuleDirectory } from './go.ts';
import { writeOciArchive } from './oci-archive.ts';
import { run } from './run.ts';
import type { WorldCluster, WorldTools } from './world.ts';

const source = join(projectRoot, 'deploy/local/metrics-server');
const modulePath = 'sigs.k8s.io/metrics-server';

type Cluster = Pick<WorldCluster, 'name' | 'kubeconfig'> & Pick<WorldTools, 'kubectl' | 'kind'>;

/** Directory with the program and its manifests, made once for each content of its go.mod. */
async function compileMetricsServer(): Promise<string> {
  const key = keyOf(keyOfFiles(['go.mod', 'go.sum'].map((name) => join(source, name))));
  return await built('metrics-server', key, async (into) => {
    await goBuild(source, ['tool'], `${into}/`);
    cpSync(join(await goModuleDirectory(source, modulePath), 'manifests/base'), join(into, 'manifests'), {
      recursive: true,
    });
    await run('chmod', ['-R', 'u+w', into]);
  });
}

/** Puts it into the cluster and waits until it tells of nodes; one that an earlier run has left is replaced. */
export async function installMetricsServer(cluster: Cluster): Promise<void> {
  const program = await compileMetricsServer();
  const image = `metrics-server:${keyOfFiles([join(program, 'metrics-server')])}`;
  const work = mkdtempSync(join(tmpdir(), 'maas-metrics-server-'));
  try {
    const layer = join(work, 'layer');
    mkdirSync(layer);
    copyFileSync(join(program, 'metrics-server'), join(layer, 'metrics-server'));
    const archive = join(work, 'image.tar');
    const described = { name: `docker.io/library/${image}`, layers: [layer], entrypoint: ['/metrics-server'] };
    await writeOciArchive([described], join(work, 'archive'), archive);
    await run(cluster.kind, ['load', 'image-archive', archive, '--name', cluster.name]);
    cpSync(join(program, 'manifests'), join(work, 'manifests'), { recursive: true });
    writeFileSync(join(work, 'kustomization.yaml'), JSON.stringify(overlay(image)));
    await kubectl(cluster, 'apply', '--server-side', '--force-conflicts', '-k', work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  await kubectl(cluster, 'wait', '--for=condition=Available', 'apiservice/v1beta1.metrics.k8s.io', '--timeout=180s');
}

/** Removes it: first what the API server asks it for, so that nothing of the API hangs on what is gone. */
export async function removeMetricsServer(cluster: Cluster): Promise<void> {
  const gone = ['--ignore-not-found', '--wait=false'];
  await kubectl(cluster, 'delete', 'apiservice', 'v1beta1.metrics.k8s.io', ...gone);
  const own = ['deployment,service,serviceaccount', 'metrics-server', '--namespace', 'kube-system'];
  await kubectl(cluster, 'delete', ...own, ...gone);
  await kubectl(cluster, 'delete', 'rolebinding', 'metrics-server-auth-reader', '--namespace', 'kube-system', ...gone);
  const roles = ['system:metrics-server', 'system:aggregated-metrics-reader'];
  await kubectl(cluster, 'delete', 'clusterrole', ...roles, ...gone);
  await kubectl(
    cluster,
    ...['delete', 'clusterrolebinding', 'system:metrics-server', 'metrics-server:system:auth-delegator'],
    ...gone,
  );
}

/** Its own manifests for this image; a kubelet of kind signs its certificate itself, and nobody should wait long. */
function overlay(image: string): object {
  const more = ['--kubelet-insecure-tls', '--kubelet-request-timeout=5s', '--metric-resolution=10s'];
  const add = more.map((value) => ({ op: 'add', path: '/spec/template/spec/containers/0/args/-', value }));
  const quick = [
    { op: 'replace', path: '/spec/template/spec/containers/0/image', value: image },
    { op: 'replace', path: '/spec/template/spec/containers/0/resources/requests/cpu', value: '20m' },
    { op: 'replace', path: '/spec/template/spec/containers/0/readinessProbe/initialDelaySeconds', value: 1 },
    { op: 'replace', path: '/spec/template/spec/containers/0/readinessProbe/periodSeconds', value: 1 },
  ];
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['manifests'],
    patches: [{ target: { kind: 'Deployment', name: 'metrics-server' }, patch: JSON.stringify([...quick, ...add]) }],
  };
}

function kubectl({ kubectl: program, kubeconfig }: Cluster, ...args: string[]): Promise<string> {
  return run(program, ['--kubeconfig', kubeconfig, ...args]);
}
