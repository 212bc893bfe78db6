/** The Docker network of the local world: a subnet that nothing on this machine uses, with fixed addresses in it. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { run, succeeds } from './run.ts';

export const networkName = 'maas';

export interface Network {
  /** `172.29.77.0/24` */
  readonly subnet: string;
  readonly gateway: string;
}

/** Half-open range of addresses as numbers. */
interface Range {
  readonly from: number;
  readonly to: number;
}

// Private ranges that neither Docker's own pools nor common defaults of Kubernetes begin with.
const candidates = Array.from(
  { length: 64 },
  (_, index) => `10.${201 + Math.floor(index / 16)}.${(index % 16) * 16}.0/24`,
);

/**
 * The first /24 that none of the used ranges touches.
 * @param used CIDR ranges of routes, interfaces and other Docker networks
 */
export function freeSubnet(used: readonly string[]): string {
  const ranges = used.map(rangeOf).filter((range) => range !== undefined);
  const free = candidates.find((candidate) => {
    const wanted = rangeOf(candidate);
    return wanted !== undefined && !ranges.some((range) => range.from < wanted.to && wanted.from < range.to);
  });
  if (free === undefined) throw new Error('no free subnet for the Docker network: all candidates are in use');
  return free;
}

/** The address with this last number in a /24: `hostAddress('10.201.0.0/24', 10)` is 10.201.0.10. */
export function hostAddress(subnet: string, host: number): string {
  return `${subnet.slice(0, subnet.lastIndexOf('.'))}.${host}`;
}

/** The destinations in the text of /proc/net/route, without the default route. */
export function routesIn(table: string): string[] {
  const littleEndian = (hex: string) => (hex.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16));
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 7 && fields[1] !== '00000000')
    .map((fields) => {
      const mask = littleEndian(fields[7] ?? '').reduce(
        (bits, byte) => bits + byte.toString(2).replaceAll('0', '').length,
        0,
      );
      return `${littleEndian(fields[1] ?? '').join('.')}/${mask}`;
    });
}

/**
 * A network, made when it is not there. The upper half of the subnet is for containers without a fixed address.
 * @param more options for its making
 */
export async function ensureNetwork(name = networkName, more: readonly string[] = []): Promise<Network> {
  if (!(await succeeds('docker', ['network', 'inspect', name]))) {
    const subnet = freeSubnet([...hostRanges(), ...(await dockerRanges())]);
    await run('docker', [
      ...['network', 'create', '--driver', 'bridge', '--label', 'maas.dev/local=true'],
      ...['--subnet', subnet, '--gateway', hostAddress(subnet, 1), '--ip-range', `${hostAddress(subnet, 128)}/25`],
      ...more,
      name,
    ]);
  }
  const inspected = await run('docker', ['network', 'inspect', '--format', '{{(index .IPAM.Config 0).Subnet}}', name]);
  const subnet = inspected.trim();
  return { subnet, gateway: hostAddress(subnet, 1) };
}

export async function removeNetwork(name = networkName): Promise<void> {
  if (await succeeds('docker', ['network', 'inspect', name])) await run('docker', ['network', 'rm', name]);
}

function hostRanges(): string[] {
  const own = Object.values(networkInterfaces())
    .flat()
    .map((address) => address?.cidr)
    .filter((cidr) => typeof cidr === 'string');
  try {
    return [...own, ...routesIn(readFileSync('/proc/net/route', 'utf8'))];
  } catch {
    return own;
  }
}

async function dockerRanges(): Promise<string[]> {
  const ids = (await run('docker', ['network', 'ls', '--quiet', '--filter', 'driver=bridge']))
    .split('\n')
    .filter(Boolean);
  if (ids.length === 0) return [];
  const format = '{{range .IPAM.Config}}{{.Subnet}}{{"\\n"}}{{end}}';
  return (await run('docker', ['network', 'inspect', '--format', format, ...ids])).split('\n').filter(Boolean);
}

function rangeOf(cidr: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (!match) return undefined; // IPv6 cannot collide
  const [a = 0, b = 0, c = 0, d = 0, bits = 32] = match.slice(1).map(Number);
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const from = Math.floor(address / size) * size;
  return { from, to: from + size };
}
