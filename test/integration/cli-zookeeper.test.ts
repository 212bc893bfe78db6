/** doctor, status and import against a real ZooKeeper, API server and HDFS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { encodeMarker } from '../../src/contracts/marker.ts';
import { encodeRegistration, type Registration } from '../../src/wire/service-instance.ts';
import { aRegistration } from '../builders/registration.ts';
import { Chroot } from './chroot.ts';
import { CliWorld, until } from './cli-process.ts';
import { openRealHdfs, ownDirectory } from './hdfs-world.ts';
import { fatal, harmless, type Row, unreadable } from './registration-rows.ts';
import { present } from './world.ts';

const config = '{"queue":"ZOOKEEPER","queueConfig":{"zk_path":"/maas/queue"},"serviceRoot":"/maas/service"}';

let world: CliWorld;
let chroot: Chroot;
let hdfsDirectory: Awaited<ReturnType<typeof ownDirectory>>;
const hdfs = openRealHdfs();
beforeAll(async () => {
  [world, chroot, hdfsDirectory] = await Promise.all([CliWorld.open(), Chroot.make(), ownDirectory(hdfs)]);
  await world.publishSettings(hdfsDirectory.path, {
    zookeeper: { quorum: chroot.connect('published') },
    clusterId: 'here',
    namespaces: [world.namespace],
  });
});
afterAll(async () => {
  await Promise.allSettled([world.close(), chroot[Symbol.asyncDispose](), hdfsDirectory[Symbol.asyncDispose]()]);
});

interface Report {
  readonly kind: string;
  readonly errors: number;
  readonly checked: readonly string[];
  readonly findings: readonly { code: string; severity: string; subject: string; evidence: string; cure: string }[];
}

/** What doctor says of a ZooKeeper below a child of the chroot. */
async function examined(child: string, ...args: string[]): Promise<Report & { code: number | null }> {
  const { code, out, err } = await world.maas('doctor', '--zookeeper', chroot.connect(child), '-o', 'json', ...args);
  expect(err).toBe('');
  return { ...(JSON.parse(out) as Report), code };
}

const subjectsOf = ({ findings }: Report, code: string): string[] =>
  findings.filter((each) => each.code === code).map(({ subject }) => subject);

/** The rows as instances of one model, next to each other. Gives the paths as clients see them. */
async function putRows(child: string, rows: readonly Row[]): Promise<string[]> {
  const paths: string[] = [];
  for (const [index, { data, how, child: below, directory = 'spam' }] of rows.entries()) {
    const path = `${directory}/other-${index}`;
    await chroot.nodes.create(`${chroot.serviceRoot(child)}/${path}`, data, how);
    if (below !== undefined) await chroot.nodes.create(`${chroot.serviceRoot(child)}/${path}/child`, below);
    paths.push(`/maas/service/${path}`);
  }
  return paths.sort();
}

describe('doctor', () => {
  it('points at every registration that blinds clients, and at nothing else', async () => {
    await chroot.register(aRegistration(), 'fatal');
    const paths = await putRows('fatal', fatal);
    const [hidden = ''] = await putRows(
      'fatal',
      unreadable.how === 'hidden' ? [{ ...unreadable, directory: 'hidden' }] : [],
    );
    const report = await examined('fatal', '--no-connect');
    expect(subjectsOf(report, 'RegistrationUnreadable')).toEqual(paths);
    expect(subjectsOf(report, 'RegistrationHidden')).toEqual([hidden]);
    expect(report.code).toBe(1);
  });

  it('has no error for what clients bear with', async () => {
    await putRows('harmless', harmless);
    await chroot.nodes.create(`${chroot.serviceRoot('harmless')}/empty`);
    const report = await examined('harmless', '--no-connect');
    expect(report.findings.filter(({ code }) => /^Registration(Unreadable|Hidden)$/.test(code))).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['unknown', '{"zone":"a"}'],
    ['null', 'null'],
    ['slash', '{"serviceRoot":"/maas/service/"}'],
  ])('points at a configuration node that clients cannot read: %s', async (name, data) => {
    const child = `config-${name}`;
    await chroot.nodes.create(`${chroot.path}/${child}/metron/maas/config`, data);
    expect(subjectsOf(await examined(child), 'ConfigurationUnreadable')).toEqual(['/metron/maas/config']);
  });

  it('tells dead addresses from living, and wrong ones from both', async () => {
    const [host = ''] = present('zookeeper').quorum.split(':');
    const urls = {
      alive: `http://${present('zookeeper').quorum}`,
      dead: `http://${host}:1/base`,
      local: 'http://localhost:1500',
      unknown: `http://${'a'.repeat(64)}.invalid:80`,
    };
    for (const [id, url] of Object.entries(urls)) await chroot.register(aRegistration({ id, url }), 'addresses');
    const report = await examined('addresses');
    expect(subjectsOf(report, 'EndpointDead')).toEqual([`${host}:1`]);
    expect(subjectsOf(report, 'EndpointLocal')).toEqual(['localhost:1500']);
    expect(subjectsOf(report, 'EndpointUnresolved')).toEqual([`${'a'.repeat(64)}.invalid:80`]);
    expect(report.findings.map(({ evidence }) => evidence).join()).not.toContain('/alive');
    const untouched = await examined('addresses', '--no-connect');
    expect(untouched.findings.filter(({ code }) => code.startsWith('Endpoint'))).toEqual([]);
  });

  it('finds the versions, and the requests that nobody takes', async () => {
    for (const version of ['1.9', '1.10']) await chroot.register(aRegistration({ id: version, version }), 'old');
    await chroot.nodes.create(`${chroot.path}/old/maas/queue/qn-0000000003`, 'null');
    await chroot.nodes.create(`${chroot.path}/old/maas/queue/qn-0000000004`, '{"name":');
    const report = await examined('old', '--no-connect');
    expect(subjectsOf(report, 'VersionOutranked')).toEqual(['model dga']);
    expect(subjectsOf(report, 'QueueWaiting')).toEqual(['/maas/queue']);
    expect(subjectsOf(report, 'QueueRequestUnusable')).toEqual(['/maas/queue/qn-0000000004']);
  });

  it('looks at the cluster and at HDFS with the published settings', async () => {
    const { code, out, err } = await world.maas('doctor', '--no-connect', '-o', 'json');
    expect(err).toBe('');
    const report = JSON.parse(out) as Report;
    // Nobody installed an operator in this namespace.
    expect(subjectsOf(report, 'OperatorMissing')).toEqual([`namespace ${world.namespace}`]);
    expect(code).toBe(1);
    for (const found of ['CrdMissing', 'CrdNotServed', 'HdfsUnreachable', 'NotChecked', 'SettingsMissing']) {
      expect([found, subjectsOf(report, found)]).toEqual([found, []]);
    }
    expect(report.checked).toEqual(
      expect.arrayContaining(['CRD', 'operator', 'your permissions', `HDFS ${present('hdfs').nameservice}`]),
    );
  });

  it('asks for the permissions of the service account, not of the caller', async () => {
    const name = 'doctored';
    const labels = { 'app.kubernetes.io/name': 'maas-operator' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: world.namespace, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { serviceAccountName: name, containers: [{ name, image: 'none.invalid/none' }] },
        },
      },
    };
    await world.kubectlWith({ input: JSON.stringify(deployment) }, 'apply', '-f', '-');
    await world.kubectl('create', 'role', name, '-n', world.namespace, '--verb=list,watch', '--resource=pods');
    await world.kubectl(
      'create',
      'rolebinding',
      name,
      '-n',
      world.namespace,
      `--role=${name}`,
      `--serviceaccount=${world.namespace}:${name}`,
    );
    try {
      let pods = '';
      // The authorizer hears of a binding a moment later.
      await until('the binding counts', async () => {
        const { findings } = JSON.parse((await world.maas('doctor', '--no-connect', '-o', 'json')).out) as Report;
        const missing = findings.filter(({ code }) => code === 'OperatorPermissionMissing');
        expect(missing.map(({ subject }) => subject)).toContain('deployments.apps');
        pods = missing.find(({ subject }) => subject === 'pods')?.evidence ?? '';
        return !pods.includes('watch');
      });
      expect(pods).toContain(`the operator may not get pods in namespace ${world.namespace}`);
    } finally {
      await world.kubectl('delete', 'deployment,role,rolebinding', name, '-n', world.namespace);
    }
  });

  it('says what is away', async () => {
    const away = ['--zookeeper', '127.0.0.1:1'];
    const [{ code, out }, nowhere] = await Promise.all([
      world.maas('doctor', ...away, '-o', 'json'),
      world.maas('status', ...away),
    ]);
    expect(subjectsOf(JSON.parse(out) as Report, 'ZooKeeperUnreachable')).toEqual(['zookeeper']);
    expect(code).toBe(1);
    expect(nowhere.code).toBe(4);
    expect(nowhere.err).toContain('error[ZOOKEEPER_UNREACHABLE]');
  });
});

/** As the original puts it there. */
async function registerAsOriginal(child: string, changes: Partial<Registration>): Promise<void> {
  await chroot.register(aRegistration(changes), child);
}

describe('status', () => {
  it('shows both sides of a model', async () => {
    const id = 'dga-2.0-abc-3f0b7c1e-8a41-4d7a-9a53-0c6d1f2e9b10';
    const ours = aRegistration({ id, version: '2.0', url: 'http://10.244.0.9:1500' });
    await chroot.nodes.create(`${chroot.serviceRoot('both')}/dga/${id}`, encodeRegistration(ours), 'ephemeral');
    await chroot.nodes.create(
      `${chroot.path}/both/maas/operator/here/instances/${id}`,
      encodeMarker({ namespace: world.namespace, pod: 'dga-2.0-abc', model: 'dga' }),
      'ephemeral',
    );
    await registerAsOriginal('both', { id: '1' });
    await registerAsOriginal('both', { id: '2' });
    const manifest = {
      apiVersion: 'maas.dev/v1',
      kind: 'ModelDeployment',
      metadata: { name: 'dga-2.0', namespace: world.namespace },
      spec: { name: 'dga', version: '2.0', memory: '64Mi', payload: { path: 'p' } },
    };
    await world.kubectlWith({ input: JSON.stringify(manifest) }, 'apply', '-f', '-');
    const { code, out, err } = await world.maas('status', '--zookeeper', chroot.connect('both'), '--name', 'dga');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.replaceAll(/ +/g, ' ')).toBe(
      [
        'MODEL VERSION SERVED RESOURCE DESIRED READY REGISTERED FOREIGN REASON',
        `dga 2.0 yes ${world.namespace}/dga-2.0 1 - 1 0 NotSeen`,
        'dga 1.0 - - - - 0 2 Foreign',
        '',
      ].join('\n'),
    );
  });
});

describe('import', () => {
  it('makes manifests of registrations, requests and payloads, and creates those that are complete', async () => {
    const payload = `${hdfsDirectory.path}/echo`;
    await hdfs.write(
      `${payload}/echo.sh`,
      async function* () {
        yield Buffer.from('#!/bin/sh\n');
      },
      { length: 10 },
    );
    for (const id of ['1', '2']) {
      await registerAsOriginal('yarn', { model: 'echo', version: '1.0', id, url: `http://node${id}.example:1500` });
    }
    await registerAsOriginal('yarn', { model: 'lost', version: '1', id: '3' });
    await chroot.nodes.create(`${chroot.path}/yarn/metron/maas/config`, config);
    const ask = (number: number, request: object) =>
      chroot.nodes.create(`${chroot.path}/yarn/maas/queue/qn-000000000${number}`, JSON.stringify(request));
    await ask(1, { name: 'echo', version: '1.0', numInstances: 1, memory: 512, action: 'ADD', path: payload });
    await ask(2, { name: 'next', version: '2.0', numInstances: 3, memory: 256, action: 'ADD', path: payload });

    const at = ['--zookeeper', chroot.connect('yarn')];
    const printed = await world.maas('import', ...at);
    expect(printed).toMatchObject({ code: 0, err: '' });
    const documents = parseAllDocuments(printed.out).map((document) => document.toJS() as { spec: unknown });
    const from = { payload: { path: payload, readFrom: 'Store' } };
    // As YARN counted them: memory bounds, and hardly any processor is asked for.
    const cpu = '10m';
    expect(documents.map(({ spec }) => spec)).toEqual([
      { name: 'echo', version: '1.0', instances: 2, memory: '512Mi', cpu, ...from },
      { name: 'lost', version: '1', instances: 1, cpu },
      { name: 'next', version: '2.0', instances: 3, memory: '256Mi', cpu, ...from },
    ]);
    expect(printed.out).toContain(`# Payload: ${payload} holds 1 file, 10 B; it runs echo.sh.`);
    expect(printed.out).toContain('  # To be filled in: memory of each instance');

    const applied = await world.maas('import', ...at, '--apply');
    expect(applied.code).toBe(1);
    expect(applied.out).toBe(
      'modeldeployment.maas.dev/echo-1.0 created with 2 instances\n' +
        'modeldeployment.maas.dev/next-2.0 created with 3 instances\n',
    );
    expect(applied.err).toContain('note: lost-1 was not created: memory and payload.path are not known');
    expect(applied.err).toContain('error[IMPORT_INCOMPLETE]: 1 of 3 models could not be created');
    expect(await world.spec('echo-1.0')).toMatchObject({ instances: 2, memory: '512Mi' });
    // What is here is not imported again, and what others registered is as it was.
    const again = await world.maas('import', ...at, '--memory', '64', '--payload-path', payload, '--apply');
    expect(again).toMatchObject({ code: 0, out: 'modeldeployment.maas.dev/lost-1 created with 1 instance\n' });
    expect(await chroot.nodes.children(`${chroot.serviceRoot('yarn')}/echo`)).toEqual(['1', '2']);
    expect((await chroot.nodes.children(`${chroot.path}/yarn/maas/queue`)).length).toBe(2);
  });
});
