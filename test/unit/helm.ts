/** Renders the project's chart with Helm. Needs no cluster and no network. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { cacheRoot, projectRoot } from '../../deploy/local/cache.ts';

export const chartDirectory = join(projectRoot, 'charts/maas-operator');
export const namespace = 'maas-system';

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The values without which nothing is rendered. */
export const minimalValues = {
  zookeeper: { quorum: 'zk1.example:2181,zk2.example:2181' },
  hdfs: { nameservices: { lake: { webhdfs: ['http://nn1.example:9870', 'http://nn2.example:9870'] } } },
};

/** Helm as HELM names it, or on PATH, or as the local world built it. */
function helmProgram(): string {
  const places = [
    process.env['HELM'],
    ...(process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'helm')),
    join(cacheRoot, 'bin', 'helm'),
  ];
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) {
    throw new Error('Helm was not found: put helm on PATH, name it in HELM, or let `make tools` build it');
  }
  return found;
}

function run(command: readonly string[], values: object): { ok: boolean; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(helmProgram(), [...command, '--values', '-'], {
    input: JSON.stringify(values),
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return { ok: status === 0, stdout, stderr };
}

const template = (release: string) => ['template', release, chartDirectory, '--namespace', namespace];

/** Every object that the chart makes with these values beside the minimal ones. */
export function render(values: object = {}, release = 'maas-operator'): Rendered[] {
  const { ok, stdout, stderr } = run(template(release), { ...minimalValues, ...values });
  if (!ok) throw new Error(`helm template failed: ${stderr}`);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** What Helm says about values that it must refuse; undefined when it takes them. */
export function refusal(values: object): string | undefined {
  const { ok, stderr } = run(template('maas-operator'), values);
  return ok ? undefined : stderr;
}

export function lint(values: object): string {
  const { stdout, stderr } = run(['lint', '--strict', chartDirectory], values);
  return stdout + stderr;
}

/** The one object of this kind and name. */
export function one(objects: readonly Rendered[], kind: string, name: string): Rendered {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  const [only] = found;
  if (only === undefined || found.length !== 1) throw new Error(`${found.length} objects are a ${kind} ${name}`);
  return only;
}
