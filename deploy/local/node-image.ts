/**
 * kind's node image, made from Go modules and Debian packages for engines that cannot pull one: Debian with systemd,
 * containerd and Kubernetes, the control plane's images already in containerd's store.
 */

import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { debianRoot, importRoot } from './base-images.ts';
import { built, cacheRoot, keyOf, keyOfFiles, projectRoot } from './cache.ts';
import { hasImage } from './engine.ts';
import { goBuild } from './go.ts';
import { withLock } from './lock.ts';
import { writeOciArchive } from './oci-archive.ts';
import { fromDebianTesting } from './packaged.ts';
import { run, succeeds } from './run.ts';
import { currentLog, step } from './steps.ts';
import type { Kubernetes } from './tools.ts';
import { versions } from './versions.ts';

/** Of our own node images, before the tag. */
export const nodeImageName = 'maas-kind-node';

const source = join(projectRoot, 'deploy/local/node');

const packages = [
  ...['systemd-sysv', 'mount', 'procps', 'kmod', 'ca-certificates'],
  ...['iproute2', 'iptables', 'nftables', 'conntrack', 'ethtool', 'socat', 'curl'],
  ...['runc', 'containernetworking-plugins'],
];

/** What a node in a container has no use for; some of it would fail there and hold up the boot. */
const maskedUnits = [
  ...['systemd-binfmt.service', 'systemd-modules-load.service', 'systemd-firstboot.service', 'systemd-repart.service'],
  ...['systemd-pstore.service', 'systemd-random-seed.service', 'systemd-journald-audit.socket'],
  ...['proc-sys-fs-binfmt_misc.automount', 'dev-hugepages.mount', 'dev-mqueue.mount', 'sys-kernel-debug.mount'],
  ...['sys-kernel-tracing.mount', 'sys-kernel-config.mount', 'sys-fs-fuse-connections.mount'],
];

interface Programs extends Kubernetes {
  /** Directory with containerd, containerd-shim-runc-v2 and ctr. */
  readonly containerd: string;
}

/** Makes the node image of what is compiled unless the engine has it. Returns its name. */
export async function makeNodeImageForKind(compiled: Promise<Kubernetes>): Promise<string> {
  const { kubernetes, debian, etcdTag, corednsTag, pauseTag, containerd } = versions;
  const files = listFiles(source);
  const key = keyOf(
    JSON.stringify([kubernetes, debian, etcdTag, corednsTag, pauseTag, containerd, packages, maskedUnits]),
    keyOfFiles(files),
    keyOfFiles([import.meta.filename]),
  );
  const name = `${nodeImageName}:${kubernetes}-${key}`;
  if (await hasImage(name)) return name;
  const [kubernetesPrograms, containerdPrograms, root] = await Promise.all([
    compiled,
    step('containerd', findContainerd),
    step('Debian for the node', () => debianRoot('kind-node', packages)),
  ]);
  const programs = { ...kubernetesPrograms, containerd: containerdPrograms };
  const work = join(cacheRoot, 'built', `.node-image-${key}`);
  await step('Assemble the node image', async () => {
    await withLock(join(cacheRoot, 'locks', `node-image-${key}`), async () => {
      if (await hasImage(name)) return;
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work, { recursive: true });
      try {
        await assemble(work, programs, root, name);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    });
  });
  return name;
}

async function findContainerd(): Promise<string> {
  const { atLeast, compiled } = versions.containerd;
  const program = 'usr/bin/containerd';
  const ready = await fromDebianTesting('containerd', ['containerd'], [{ program, arguments: ['--version'], atLeast }]);
  if (ready !== undefined) return join(ready, 'usr/bin');
  const module = join(source, 'containerd');
  const key = keyOf(compiled, keyOfFiles([join(module, 'go.mod'), join(module, 'go.sum')]));
  return await built('containerd', key, async (into) => await goBuild(module, ['tool'], `${into}/`));
}

async function assemble(work: string, programs: Programs, debian: string, name: string): Promise<void> {
  const root = join(work, 'root');
  await run('cp', ['-a', '--reflink=auto', debian, root]);
  addPrograms(root, programs);
  addConfiguration(root);
  keepOnlyWantedUnits(root);

  const archive = join(work, 'control-plane.tar');
  await writeOciArchive(await controlPlane(work, root, programs), join(work, 'archive'), archive);
  await importIntoContainerd(work, root, programs, archive);

  await importRoot(root, name, ['ENTRYPOINT ["/kind/entrypoint","/sbin/init"]', 'ENV container=docker']);
}

function addPrograms(root: string, programs: Programs): void {
  installProgram(programs.kube, join(root, 'usr/bin/kubelet'));
  for (const name of ['kubeadm', 'kubectl']) symlinkSync('kubelet', join(root, 'usr/bin', name));
  for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr']) {
    installProgram(join(programs.containerd, name), join(root, 'usr/local/bin', name));
  }
}

function addConfiguration(root: string): void {
  cpSync(join(source, 'rootfs'), root, { recursive: true });
  const config = join(root, 'etc/containerd/config.toml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('PAUSE_TAG', versions.pauseTag));
  writeFileSync(join(root, 'kind/version'), `${versions.kubernetes}\n`);
  mkdirSync(join(root, 'etc/kubernetes/manifests'), { recursive: true });
  // The kernel's messages are the host's, not ours to read.
  const journald = join(root, 'etc/systemd/journald.conf.d/container.conf');
  mkdirSync(dirname(journald), { recursive: true });
  writeFileSync(journald, '[Journal]\nReadKMsg=no\n');
}

function keepOnlyWantedUnits(root: string): void {
  const units = join(root, 'etc/systemd/system');
  for (const entry of readdirSync(units)) {
    if (entry.endsWith('.wants')) rmSync(join(units, entry), { recursive: true });
  }
  rmSync(join(root, 'lib/systemd/system/multi-user.target.wants'), { recursive: true, force: true });
  for (const unit of maskedUnits) symlinkOver('/dev/null', join(units, unit));
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  for (const unit of ['containerd.service', 'kubelet.service']) {
    symlinkOver(`../${unit}`, join(units, 'multi-user.target.wants', unit));
  }
  symlinkOver('/lib/systemd/system/multi-user.target', join(units, 'default.target'));
}

/** The images that kubeadm starts, under the names it asks for; all programs of Kubernetes share one layer. */
async function controlPlane(work: string, root: string, programs: Programs) {
  const kube = join(work, 'layer-kube');
  installProgram(programs.kube, join(kube, 'usr/local/bin/kube'));
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    symlinkSync('kube', join(kube, 'usr/local/bin', name));
  }
  const firewall = join(work, 'layer-firewall');
  await copyFirewallTools(root, firewall);
  const pause = join(work, 'layer-pause');
  installProgram(programs.pause, join(pause, 'pause'));
  const coredns = join(work, 'layer-coredns');
  installProgram(programs.coredns, join(coredns, 'coredns'));
  const kubernetes = (program: string) => `registry.k8s.io/${program}:${versions.kubernetes}`;
  return [
    { name: kubernetes('kube-apiserver'), layers: [kube] },
    { name: kubernetes('kube-controller-manager'), layers: [kube] },
    { name: kubernetes('kube-scheduler'), layers: [kube] },
    { name: kubernetes('kube-proxy'), layers: [kube, firewall] },
    { name: `registry.k8s.io/etcd:${versions.etcdTag}`, layers: [kube] },
    { name: `registry.k8s.io/pause:${versions.pauseTag}`, layers: [pause], entrypoint: ['/pause'] },
    { name: `registry.k8s.io/coredns/coredns:${versions.corednsTag}`, layers: [coredns], entrypoint: ['/coredns'] },
  ];
}

/** nft and iptables with their extensions, and the libraries that all of these name, out of the node's own Debian. */
async function copyFirewallTools(root: string, layer: string): Promise<void> {
  const triplet = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const extensions = `/usr/lib/${triplet}/xtables`;
  const tools = ['/usr/sbin/nft', '/usr/sbin/xtables-nft-multi'];
  const plugins = readdirSync(join(root, extensions))
    .filter((name) => name.endsWith('.so'))
    .map((name) => `${extensions}/${name}`);
  // Plugins are loaded at run time and have needs of their own.
  const needs = await run('chroot', [root, 'ldd', ...tools, ...plugins]);
  const libraries = new Set([...needs.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? ''));
  for (const directory of ['usr/sbin', 'usr/lib', 'usr/lib64']) mkdirSync(join(layer, directory), { recursive: true });
  for (const [link, target] of [
    ['sbin', 'usr/sbin'],
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
  ] as const) {
    symlinkSync(target, join(layer, link));
  }
  for (const file of [...tools, ...libraries]) {
    const target = join(layer, file.startsWith('/usr') ? file : `/usr${file}`);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(realpathSync(join(root, file)), target);
  }
  cpSync(join(root, extensions), join(layer, extensions), { recursive: true, verbatimSymlinks: true });
  for (const family of ['iptables', 'ip6tables']) {
    for (const name of [family, `${family}-save`, `${family}-restore`]) {
      symlinkSync('xtables-nft-multi', join(layer, 'usr/sbin', name));
    }
  }
}

/** Imports images with a containerd that runs here for a moment, with its store in the node's root. */
async function importIntoContainerd(work: string, root: string, programs: Programs, archive: string): Promise<void> {
  const state = join(work, 'containerd');
  const socket = join(state, 'sock');
  mkdirSync(state, { recursive: true });
  const config = join(state, 'config.toml');
  const disabled = [
    ...['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime'],
    'io.containerd.nri.v1.nri',
  ];
  writeFileSync(
    config,
    [
      'version = 3',
      `root = "${join(root, 'var/lib/containerd')}"`,
      `state = "${join(state, 'state')}"`,
      `disabled_plugins = ${JSON.stringify(disabled)}`,
      '[grpc]',
      `  address = "${socket}"`,
      '[ttrpc]',
      `  address = "${socket}.ttrpc"`,
    ].join('\n'),
  );
  const daemon = spawn(join(programs.containerd, 'containerd'), ['--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  daemon.stderr.on('data', (chunk: Buffer) => currentLog()?.write(chunk));
  const ended = new Promise<void>((resolve) => daemon.on('close', () => resolve()));
  const ctr = join(programs.containerd, 'ctr');
  try {
    const deadline = performance.now() + 30_000;
    while (!(await succeeds(ctr, ['--address', socket, 'version']))) {
      if (daemon.exitCode !== null || performance.now() > deadline) throw new Error('containerd does not start');
      await sleep(100);
    }
    await run(ctr, [
      '--address',
      socket,
      '--namespace',
      'k8s.io',
      'images',
      'import',
      '--snapshotter',
      'overlayfs',
      archive,
    ]);
  } finally {
    daemon.kill('SIGTERM');
    await ended;
  }
  rmSync(join(root, 'var/lib/containerd/io.containerd.grpc.v1.introspection'), { recursive: true, force: true });
}

function installProgram(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}

function symlinkOver(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

function listFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
