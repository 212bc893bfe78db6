/** Faults in the Hadoop side's containers. Whoever breaks something mends it, whatever happens in between. */
import { run } from '../../deploy/local/run.ts';
import { present } from '../integration/world.ts';

export function docker(...args: string[]): Promise<string> {
  const { host } = present('engine');
  return run('docker', args, host === null ? {} : { env: { DOCKER_HOST: host } });
}

/** Stops a container while `during` runs, and starts it again. */
export async function whileStopped<T>(container: string, during: () => Promise<T>): Promise<T> {
  await docker('stop', '--time', '5', container);
  try {
    return await during();
  } finally {
    await docker('start', container);
  }
}

/** Kills a process of one pod from the node, as the kernel would: process 1 of a container is safe from inside. */
export async function killInPod(podUid: string, commandPart: string): Promise<void> {
  const { nodeContainer } = present('cluster');
  if (nodeContainer === null) throw new Error('this test kills processes on the node, which is not ours');
  const program = `
uid=$(echo "$1" | tr - _)
killed=1
for directory in /proc/[0-9]*; do
  grep -q -e "$1" -e "$uid" "$directory/cgroup" 2> /dev/null || continue
  tr '\\0' ' ' < "$directory/cmdline" | grep -q -F "$2" || continue
  kill -9 "\${directory#/proc/}" && killed=0
done
exit $killed`;
  await docker('exec', nodeContainer, 'sh', '-c', program, 'sh', podUid, commandPart);
}
