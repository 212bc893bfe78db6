/** The agent's metrics in Prometheus' text format. A client library would cost more memory than the agent itself. */
import { agentStages } from '../contracts/pod-contract.ts';
import type { State } from './lifecycle/state.ts';

export interface Measured {
  /** Milliseconds from the agent's start to the first registration it made; undefined before. */
  readonly timeToRegister: number | undefined;
}

export function metricsText(state: State, measured: Measured): string {
  const lines: string[] = [];
  const metric = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    values: readonly (readonly [string, number])[],
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
  };
  metric('maas_agent_registered', 'gauge', '1 while the instance is registered in ZooKeeper.', [
    ['', state.registration.kind === 'held' ? 1 : 0],
  ]);
  metric('maas_agent_ready', 'gauge', '1 while the instance is ready.', [['', state.ready ? 1 : 0]]);
  metric(
    'maas_agent_stage',
    'gauge',
    'What the instance is doing: 1 for the present stage, 0 for all others.',
    agentStages.map((stage) => [`{stage="${stage}"}`, stage === state.stage ? 1 : 0] as const),
  );
  metric('maas_agent_zookeeper_connected', 'gauge', '1 while the ZooKeeper session is connected.', [
    ['', state.session === 'connected' ? 1 : 0],
  ]);
  metric('maas_agent_payload_bytes', 'gauge', 'Bytes of the payload that are in place.', [
    ['', state.progress?.bytesDone ?? 0],
  ]);
  metric('maas_agent_payload_size_bytes', 'gauge', 'Bytes of the whole payload.', [
    ['', state.progress?.bytesTotal ?? 0],
  ]);
  if (state.progress?.bytesFromCache !== undefined) {
    metric('maas_agent_payload_cache_bytes', 'gauge', "Bytes of the payload that came from the node's cache.", [
      ['', state.progress.bytesFromCache],
    ]);
  }
  metric('maas_agent_reregistrations_total', 'counter', 'Registrations that were made after the first one.', [
    ['', Math.max(0, state.registrations - 1)],
  ]);
  if (measured.timeToRegister !== undefined) {
    metric('maas_agent_time_to_register_seconds', 'gauge', "Time from the agent's start to its first registration.", [
      ['', measured.timeToRegister / 1_000],
    ]);
  }
  return `${lines.join('\n')}\n`;
}
