/**
 * The commands of the documents, run as they stand there: each block with `<!-- run: SCENARIO -->` above it, in the
 * order of the scenarios and within one in the order of the documents. What a reader has is set up before: an operator's
 * values for this ZooKeeper and HDFS, a kubeconfig with a namespace, `kubectl-maas` on the PATH, the sample beside it.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../deploy/local/cache.ts';
import { run } from '../../deploy/local/run.ts';
import { Chroot } from '../integration/chroot.ts';
import { ended, type Ran } from '../integration/cli-process.ts';
import { present } from '../integration/world.ts';
import { type Block, blocksOf, isForShell, markdownFiles, scriptOf } from '../unit/document-blocks.ts';
import { eventually } from './stage.ts';

const scenarios = ['install', 'models', 'samples', 'operations', 'releases'];
/** Namespaces of the two releases, and those that they serve. */
const teams = ['team-a', 'team-b'];
const namespace = 'fraud';
const operatorNamespace = 'maas-system';

let directory: string;
let chroot: Chroot;
let env: NodeJS.ProcessEnv;

const kubectl = (...args: string[]) =>
  run(present('tools').kubectl, args, { env: { KUBECONFIG: present('cluster').kubeconfig } });

function imageValues(image: string): { repository: string; tag: string } {
  const colon = image.lastIndexOf(':');
  return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
}

function shell(script: string): Promise<Ran> {
  // A reader notices the first command that fails.
  const args = ['-euo', 'pipefail', '-c', script];
  return ended(spawn('bash', args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'maas-documents-'));
  chroot = await Chroot.make();
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const program = join(projectRoot, 'src/bin/kubectl-maas.ts');
  writeFileSync(join(bin, 'kubectl-maas'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  for (const name of ['charts', 'deploy']) symlinkSync(join(projectRoot, name), join(directory, name));
  cpSync(join(projectRoot, 'deploy/samples/dga'), join(directory, 'dga'), { recursive: true });

  const { nameservice, namenodes, user } = present('hdfs');
  const { operator, runtime } = present('images');
  if (operator === null) throw new Error('there is no operator image; run `make images`');
  const payloads = `maas/documents-${process.pid}`;
  const values = {
    image: imageValues(operator),
    model: { image: imageValues(runtime) },
    zookeeper: { quorum: chroot.connect() },
    hdfs: { user, nameservices: { [nameservice]: { webhdfs: namenodes.map((node) => node.webhdfs) } } },
    namespaces: [namespace],
    payloadRoot: payloads,
    payloadStore: { root: `${payloads}/store` },
    // Other tests made it without Helm.
    crds: { install: false },
  };
  writeFileSync(join(directory, 'values.yaml'), stringify(values));

  const kubeconfig: unknown = parse(readFileSync(present('cluster').kubeconfig, 'utf8'));
  writeFileSync(join(directory, 'kubeconfig'), stringify(kubeconfig));
  const { helm, kubectl: kubectlPath } = present('tools');
  env = {
    ...process.env,
    PATH: [join(directory, 'venv/bin'), bin, dirname(kubectlPath), dirname(helm), process.env['PATH'] ?? ''].join(':'),
    KUBECONFIG: join(directory, 'kubeconfig'),
    NO_COLOR: '1',
  };
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', join(projectRoot, 'crds'));
  await kubectl('create', 'namespace', namespace);
  await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
  // What the sample needs on a reader's own machine.
  const flask = await shell(
    'python -c "import flask" || { virtualenv --quiet venv && venv/bin/pip install --quiet flask; }',
  );
  expect(flask).toMatchObject({ code: 0 });
  for (const team of teams) await kubectl('create', 'namespace', team);
  await shell(`kubectl config set-context --current --namespace ${namespace}`);
});

afterAll(async () => {
  await kubectl('delete', 'mdl', '--all', '--namespace', namespace, '--timeout=60s').catch(() => {});
  await shell(`helm uninstall maas-operator --namespace ${operatorNamespace} --ignore-not-found`);
  for (const team of teams) await shell(`helm uninstall maas-${team} --namespace maas-${team} --ignore-not-found`);
  const made = [namespace, operatorNamespace, ...teams, ...teams.map((team) => `maas-${team}`)];
  await kubectl('delete', 'namespace', ...made, '--ignore-not-found', '--wait=true');
  await chroot[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const blocks = markdownFiles().flatMap(blocksOf).filter(isForShell);
const rows = scenarios.flatMap((scenario) =>
  blocks
    .filter(({ mark }) => mark?.kind === 'run' && mark.text === scenario)
    .map((block): [string, Block] => [`${scenario}, ${block.document}:${block.line}`, block]),
);

it('there is something to run of each scenario', () => {
  for (const scenario of scenarios)
    expect(
      rows.some(([name]) => name.startsWith(`${scenario},`)),
      scenario,
    ).toBe(true);
});

it.each(rows)('runs: %s', async (_name, block) => {
  const { code, out, err } = await shell(scriptOf(block));
  expect({ code, out, err }).toMatchObject({ code: 0 });
});

it('left the models of the documents serving', async () => {
  const reasons = async () =>
    (await shell('kubectl get mdl --output jsonpath=\'{.items[*].status.conditions[?(@.type=="Ready")].reason}\'')).out;
  await eventually('all serve', async () => /^(Serving ?)+$/.test(await reasons()), { account: reasons });
});

it('Helm refuses a second release of one name, as the page on two releases says', async () => {
  const { code, err } = await shell(
    "helm install maas-team-a charts/maas-operator --namespace team-b --values values.yaml --set 'namespaces={team-b}'",
  );
  expect({ code, err }).toMatchObject({
    code: 1,
    err: expect.stringMatching(/ClusterRole "maas-team-a.*-view".*cannot be imported/),
  });
});

it('doctor checks a manifest against this cluster, and takes it for what it is', async () => {
  const check = async (from: string, to: string) => {
    const sample = readFileSync(join(projectRoot, 'deploy/samples/dga.yaml'), 'utf8');
    // Names of its own: the models of the documents are there, and maybe those of the demo.
    const own = sample
      .replace('  name: dga-1.0\n', '  name: checked-1.0\n')
      .replace('  name: dga\n', '  name: checked\n');
    const manifest = own.replace(from, to);
    writeFileSync(join(directory, 'checked.yaml'), manifest);
    const { code, out } = await shell('kubectl maas doctor -f checked.yaml --output name --strict || exit 3');
    return [code, ...out.split('\n').filter((line) => !line.startsWith('NotChecked'))];
  };
  const subject = 'checked.yaml checked-1.0';
  expect(await check('', '')).toEqual([3, `PayloadMissing ${subject}`, '']);
  expect(await check('memory: 256Mi', 'memory: "256"')).toContain(`ManifestInvalid ${subject}`);
  expect(await check('cpu: 250m', 'cpu: 250m\n  drain: 2h')).toContain(`ManifestRefused ${subject}`);
  expect(await check('cpu: 250m', 'cpu: 250m\n  serviceAccountName: nobody')).toContain(`ReferenceMissing ${subject}`);
  expect(await check('memory: 256Mi', 'memory: 4Ti')).toContain(`NoNodeFits ${subject}`);
  expect(await check('metadata:', 'metadata:\n  namespace: team-b')).toContain(`NamespaceNotServed ${subject}`);
});
