import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { typed } from '../../../test/builders/command-line.ts';
import { legacyPorts } from '../../../test/builders/legacy-ports.ts';
import { serviceHelp, serviceOptions } from './service-options.ts';

const core = `<configuration><property><name>fs.defaultFS</name><value>hdfs://nn1.example:8020</value></property></configuration>`;

async function ran(argv: readonly string[], options: Parameters<typeof legacyPorts>[0] & { user?: string } = {}) {
  const ports = legacyPorts({ files: { '/etc/hadoop/conf/core-site.xml': core }, ...options });
  const code = await typed(['__legacy-service', ...argv], ports, {
    chart: '/release/charts/maas-operator',
    hadoopUser: options.user,
  });
  return { code, out: ports.out.text, err: ports.err.text, helmRuns: ports.helmRuns };
}

const words = (line: string) => line.split(' ').filter(Boolean);
const hdfs = {
  nameservices: { hadoop: { webhdfs: ['http://nn1.example:9870'], authorities: ['nn1.example:8020'] } },
};

async function valuesOf(...argv: string[]): Promise<Record<string, unknown>> {
  const { helmRuns, err } = await ran(['-zq', 'zk1:2181', ...argv, '--apply']);
  expect(err).toBe('');
  return parse(helmRuns[0]?.input ?? '') as Record<string, unknown>;
}

describe('the old service starter', () => {
  it.each<[string, string[], object]>([
    ['the quorum alone', [], {}],
    ['the configuration node', ['-zr', '/my/config'], { zookeeper: { quorum: 'zk1:2181', configPath: '/my/config' } }],
    [
      'the environment of models',
      ['-e', 'LEVEL=high', '--shell_env', 'URL=http://x/?a=b c', '-e', 'EMPTY='],
      { model: { env: { LEVEL: 'high', URL: 'http://x/?a=b c', EMPTY: '' } } },
    ],
    ['the queue', ['-q', 'analytics'], { scheduling: { queue: 'analytics' } }],
    [
      'queue and node labels together',
      ['--queue', 'analytics', '-nle', 'gpu && !spot'],
      { scheduling: { queue: 'analytics', nodeLabelExpression: 'gpu && !spot' } },
    ],
    [
      'ACLs',
      ['-va', 'alice,bob analysts', '-ma', ' ops,admins'],
      {
        acls: {
          view: { users: ['alice', 'bob'], groups: ['analysts'] },
          modify: { users: [], groups: ['ops', 'admins'] },
        },
      },
    ],
    ['everybody', ['-va', '*'], { acls: { view: { users: [], groups: ['system:authenticated'] } } }],
    [
      "the master's size",
      ['-mm', '1024', '-mc', '2'],
      { resources: { requests: { cpu: '2', memory: '1024Mi' }, limits: { memory: '1024Mi' } } },
    ],
    [
      "a master's size that would not do",
      ['--master_memory', '10'],
      { resources: { requests: { memory: '128Mi' }, limits: { memory: '512Mi' } } },
    ],
    ['what nothing takes the place of', ['-c', '-d', 'dom', '-j', 'x.jar', '-l', 'log', '-t', '60000'], {}],
  ])('%s', async (_what, argv, wanted) => {
    expect(await valuesOf(...argv)).toEqual({ hdfs, zookeeper: { quorum: 'zk1:2181' }, ...wanted });
  });

  it('runs Helm with the values on its standard input, further files below them', async () => {
    const line = '-zk zk1:2181 --apply --values site.yaml --values more.yaml --context prod --kubeconfig k --release r';
    const { code, out, helmRuns } = await ran(words(line));
    expect([code, out]).toEqual([0, '']);
    expect(helmRuns[0]?.args.join(' ')).toBe(
      'upgrade --install r /release/charts/maas-operator --namespace maas-system --create-namespace ' +
        '--kubeconfig k --kube-context prod --values site.yaml --values more.yaml --values -',
    );
  });

  it('goes to HDFS as Hadoop is told to', async () => {
    const { helmRuns } = await ran(words('-zq z:1 --apply'), { user: 'metron' });
    expect(parse(helmRuns[0]?.input ?? '')).toMatchObject({ hdfs: { ...hdfs, user: 'metron' } });
  });

  it('tells when Helm fails', async () => {
    const { code, err } = await ran(words('-zq z:1 --apply'), { helmStatus: 3 });
    expect([code, err]).toEqual([1, expect.stringContaining('error[HELM_FAILED]: helm ended with status 3')]);
  });

  it('installs nothing where it does not know HDFS, but prints with a note', async () => {
    const unknown = { files: {} };
    expect(await ran(words('-zq z:1 --apply'), unknown)).toMatchObject({ code: 1, helmRuns: [] });
    const printed = await ran(words('-zq z:1'), unknown);
    expect([printed.code, printed.err]).toEqual([0, expect.stringContaining('hdfs.nameservices')]);
    expect((await ran(words('-zq z:1 --values site.yaml --apply'), unknown)).code).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['no quorum', ['-q', 'x'], /needs -zq/],
    ['a quorum with a space', ['-zq', 'a:1, b:2'], /-zq: .*host:port/],
    ['an environment without a value', ['-zq', 'z:1', '-e', 'LEVEL'], /-e: "LEVEL".*NAME=value/],
    ['an environment of two words', ['-zq', 'z:1', '-e', 'A=b', 'C=d'], /"C=d" belongs to no option/],
    ['a queue that no label can hold', ['-zq', 'z:1', '-q', 'a b'], /-q: "a b"/],
    ['an expression that says nothing', ['-zq', 'z:1', '-nle', 'gpu && *'], /-nle: .*all labels of a queue/],
    ['memory in words', ['-zq', 'z:1', '-mm', '1g'], /-mm: "1g"/],
    ['a relative node', ['-zq', 'z:1', '-zr', 'metron'], /-zr: "metron"/],
    ['an ACL of three parts', ['-zq', 'z:1', '-va', 'a b c'], /-va: /],
    ['an unknown option', ['-zq', 'z:1', '-n', 'x'], /no option "-n"/],
  ])('refuses %s', async (_what, argv, message) => {
    const { code, err, helmRuns } = await ran([...argv, '--apply']);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(helmRuns).toEqual([]);
  });

  it('explains each option that is given, the ignored ones too, and does nothing', async () => {
    const argv = ['-zq', 'z:1', '-t', '60000', '-e', 'A=b', '-q', 'analytics', '--explain'];
    const { code, out, helmRuns } = await ran(argv);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'OPTION           BECAME',
        '-e "A=b"         model.env.A: "b"',
        '-q "analytics"   scheduling.queue: "analytics"',
        '-t "60000"       nothing: the operator has no end; how long a model may take to start is spec.startupTimeout',
        '-zq "z:1"        zookeeper.quorum: "z:1"',
        '',
      ].join('\n'),
    );
    expect(helmRuns).toEqual([]);
    const both = await ran([...argv, '--apply']);
    expect([both.err, both.out, both.helmRuns.length]).toEqual([out, '', 1]);
  });

  it('has help that names every option', async () => {
    for (const argv of [[], ['-h'], ['--help']]) expect((await ran(argv)).out).toBe(serviceHelp());
    for (const { short, long } of serviceOptions) expect(serviceHelp()).toContain(`-${short}, --${long}`);
  });
});

describe('what is printed', () => {
  it('is a command that a shell runs as it was meant, whatever the values are', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'maas-helm-'));
    try {
      const fake = '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >"$OUT/args"\ncat >"$OUT/values"\n';
      writeFileSync(join(directory, 'helm'), fake, { mode: 0o755 });
      const nasty = `'; touch ${directory}/hacked; $(touch ${directory}/hacked) \`id\` "\\`;
      const { out } = await ran(['-zq', 'z:1', '-e', `A=${nasty}`, '-e', 'B=VALUES', '--chart', `it's ${nasty}`]);
      const path = `${directory}${delimiter}${process.env['PATH']}`;
      const shell = spawnSync('sh', [], { input: out, env: { PATH: path, OUT: directory }, encoding: 'utf8' });
      expect([shell.status, shell.stderr]).toEqual([0, '']);
      expect(readFileSync(join(directory, 'args'), 'utf8').split('\n')[3]).toBe(`it's ${nasty}`);
      expect(parse(readFileSync(join(directory, 'values'), 'utf8'))).toEqual({
        hdfs,
        zookeeper: { quorum: 'z:1' },
        model: { env: { A: nasty, B: 'VALUES' } },
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
