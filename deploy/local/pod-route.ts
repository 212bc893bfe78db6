/**
 * A route from this machine to the pods' addresses, as the machines of a real Hadoop cluster would have one to a
 * routed pod network. Only where we may set it and nothing else has these addresses; everything works without.
 */
import { nodeContainer } from './kind-config.ts';
import { hostAddress, networkName } from './network.ts';
import { run, succeeds } from './run.ts';

/** Sets the route to the node's pods. Returns whether there is one. */
export async function ensurePodRoute(kubectl: string, kubeconfig: string, subnet: string): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const cluster = ['--kubeconfig', kubeconfig];
  // A node may be ready before it was given its addresses for pods.
  const given = ['--for=jsonpath={.spec.podCIDR}', '--timeout=60s'];
  await run(kubectl, [...cluster, 'wait', `node/${nodeContainer}`, ...given]);
  const args = [...cluster, 'get', 'node', nodeContainer, '--output', 'jsonpath={.spec.podCIDR}'];
  const pods = (await run(kubectl, args)).trim();
  const format = `{{(index .NetworkSettings.Networks "${networkName}").IPAddress}}`;
  const node = (await run('docker', ['container', 'inspect', '--format', format, nodeContainer])).trim();
  if (!pods || !node) return false;
  const present = (await run('ip', ['route', 'show', pods]).catch(() => '')).trim();
  if (present.includes(`via ${node} `)) return true;
  // A node that was made anew may have another address; anything else is somebody else's.
  if (present !== '' && !present.includes(` via ${hostAddress(subnet, 0).slice(0, -1)}`)) return false;
  return await succeeds('ip', ['route', 'replace', pods, 'via', node]);
}
