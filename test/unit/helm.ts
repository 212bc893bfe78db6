/** Renders the project's chart with Helm. Needs no cluster and no network. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
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

const template = (release: string, chart = chartDirectory) => ['template', release, chart, '--namespace', namespace];

/** The objects, or what Helm says against the values. */
function outcome(command: readonly string[], values: object): Rendered[] | string {
  const { ok, stdout, stderr } = run(command, values);
  if (!ok) return stderr;
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

function rendered(command: readonly string[], values: object): Rendered[] {
  const made = outcome(command, values);
  if (typeof made === 'string') throw new Error(`helm template failed: ${made}`);
  return made;
}

/** What the chart makes of exactly these values, or what Helm says against them. */
export function attempt(values: object): Rendered[] | string {
  return outcome(template('maas-operator'), values);
}

/** Every object that the chart makes with these values beside the minimal ones, and with options such as --set. */
export function render(values: object = {}, release = 'maas-operator', options: readonly string[] = []): Rendered[] {
  return rendered([...template(release), ...options], { ...minimalValues, ...values });
}

/**
 * Renders a chart of somebody's own that includes this one.
 *
 * @param dependencies entries of its Chart.yaml beside name and version: alias, condition
 * @param own what its values.yaml says
 * @param values what its user says
 */
export function renderUmbrella(
  dependencies: readonly Readonly<Record<string, string>>[],
  own: object,
  values: object = {},
): Rendered[] {
  const umbrella = mkdtempSync(join(tmpdir(), 'umbrella-'));
  try {
    const included = { name: 'maas-operator', version: '*' };
    const chart = {
      apiVersion: 'v2',
      name: 'umbrella',
      version: '1.0.0',
      dependencies: dependencies.map((dependency) => ({ ...included, ...dependency })),
    };
    writeFileSync(join(umbrella, 'Chart.yaml'), stringify(chart));
    writeFileSync(join(umbrella, 'values.yaml'), stringify(own));
    cpSync(chartDirectory, join(umbrella, 'charts', 'maas-operator'), { recursive: true });
    return rendered(template('security', umbrella), values);
  } finally {
    rmSync(umbrella, { recursive: true });
  }
}

/** What Helm says about values that it must refuse; undefined when it takes them. */
export function refusal(values: object): string | undefined {
  const said = attempt(values);
  return typeof said === 'string' ? said : undefined;
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
