/** One container with a fixed address, as it should be: made, started, unpaused or made anew until it is so. */
import { keyOf } from './cache.ts';
import { networkName } from './network.ts';
import { run, succeeds } from './run.ts';

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  /** Names that mean an address also while their container does not run. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Named volume -> mount path; volumes outlive their container. */
  readonly volumes: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

const label = 'maas.dev/local';
const keyLabel = 'maas.dev/spec';

/** What has to be done to a container, from what `docker inspect` says about it. */
export type Deed = 'create' | 'recreate' | 'start' | 'unpause' | 'reconnect' | 'nothing';

export interface Seen {
  readonly status: string;
  readonly key: string;
  /** Its address on our network; empty when it was cut off. */
  readonly address: string;
}

export function deedFor(spec: ContainerSpec, seen: Seen | undefined): Deed {
  if (seen === undefined) return 'create';
  if (seen.key !== specKey(spec)) return 'recreate';
  if (seen.status === 'paused') return 'unpause';
  if (seen.status !== 'running') return seen.status === 'exited' || seen.status === 'created' ? 'start' : 'recreate';
  return seen.address === spec.address ? 'nothing' : 'reconnect';
}

/** Makes the container as specified and running. Says what it had to do. */
export async function ensureContainer(spec: ContainerSpec): Promise<Deed> {
  const deed = deedFor(spec, await look(spec.name));
  switch (deed) {
    case 'create':
      await create(spec);
      break;
    case 'recreate':
      await run('docker', ['rm', '--force', spec.name]);
      await create(spec);
      break;
    case 'start':
      // A container that was killed with its engine may not start again, and its data is not in it anyway.
      if (!(await succeeds('docker', ['start', spec.name]))) {
        await run('docker', ['rm', '--force', spec.name]);
        await create(spec);
      }
      break;
    case 'unpause':
      await run('docker', ['unpause', spec.name]);
      break;
    case 'reconnect':
      await run('docker', ['network', 'connect', '--ip', spec.address, networkName, spec.name]);
      break;
    case 'nothing':
      break;
  }
  return deed;
}

/** Names of all containers of the local world, running or not. */
export async function ourContainers(): Promise<string[]> {
  const names = await run('docker', ['ps', '--all', '--filter', `label=${label}`, '--format', '{{.Names}}']);
  return names.split('\n').filter(Boolean);
}

export async function ourVolumes(): Promise<string[]> {
  return (await run('docker', ['volume', 'ls', '--quiet', '--filter', `label=${label}`])).split('\n').filter(Boolean);
}

async function create(spec: ContainerSpec): Promise<void> {
  for (const volume of Object.keys(spec.volumes)) {
    await run('docker', ['volume', 'create', '--label', `${label}=true`, volume]);
  }
  await run('docker', [
    ...['run', '--detach', '--init', '--name', spec.name, '--hostname', spec.name],
    ...['--label', `${label}=true`, '--label', `${keyLabel}=${specKey(spec)}`],
    ...['--network', networkName, '--ip', spec.address],
    ...Object.entries(spec.hosts).flatMap(([name, address]) => ['--add-host', `${name}:${address}`]),
    ...['--log-opt', 'max-size=20m', '--log-opt', 'max-file=2'],
    ...Object.entries(spec.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...Object.entries(spec.volumes).flatMap(([volume, path]) => ['--volume', `${volume}:${path}`]),
    spec.image,
    ...spec.command,
  ]);
}

async function look(name: string): Promise<Seen | undefined> {
  const format = `{{.State.Status}}|{{index .Config.Labels "${keyLabel}"}}|{{with index .NetworkSettings.Networks "${networkName}"}}{{.IPAMConfig.IPv4Address}}{{end}}`;
  if (!(await succeeds('docker', ['container', 'inspect', name]))) return undefined;
  const [status = '', key = '', address = ''] = (
    await run('docker', ['container', 'inspect', '--format', format, name])
  )
    .trim()
    .split('|');
  return { status, key, address };
}

/** A digest of the specification; a container carries the one it was made from. */
export function specKey(spec: ContainerSpec): string {
  return keyOf(JSON.stringify(spec));
}
