/** What is read of a model's instances for a person: pods, events, logs, what agents say. It writes nothing. */
import { agentPaths } from '../../contracts/agent-http.ts';
import { labels } from '../../contracts/names.ts';
import type { Clock } from '../../kernel/clock.ts';
import { bodyBytes, bodyStart } from '../http/body.ts';
import { readStatus, refusalOf, unreachable } from './api-status.ts';
import type { KubeClient } from './client.ts';
import { plainObject } from './command-cluster.ts';
import { liveList, type OnTrouble } from './live-list.ts';
import { modelDeployments } from './model-cluster.ts';
import { podCall } from './pod-path.ts';
import { events, pods } from './resource-kind.ts';
import { textLines } from './text-lines.ts';

interface LogOptions {
  readonly tail?: number | undefined;
  readonly previous?: boolean;
}

export function instanceReader(client: KubeClient, clock: Pick<Clock, 'monotonic' | 'sleep'>, signal: AbortSignal) {
  return {
    /** Those of the resource with this UID. */
    async pods(namespace: string, ownerUid: string) {
      const labelSelector = `${labels.owner}=${ownerUid}`;
      const { items } = await client.list(pods, { namespace, labelSelector, signal });
      return items.map((item) => plainObject(item));
    },
    /** Those about the object with this UID. */
    async events(namespace: string, uid: string) {
      const fieldSelector = `involvedObject.uid=${uid}`;
      const { items } = await client.list(events, { namespace, fieldSelector, signal });
      return items.map((item) => plainObject(item));
    },
    /** What the agent in a pod says of itself: JSON. */
    agent(namespace: string, name: string, port: number) {
      return client.podText({ of: 'proxy', namespace, name, port, path: agentPaths.status }, { signal });
    },
    log(namespace: string, name: string, container: string, { tail, previous = false }: LogOptions) {
      return client.podText({ of: 'log', namespace, name, container, tail, previous }, { signal });
    },
    /** Line by line for as long as the container runs. */
    async *followLog(
      namespace: string,
      name: string,
      container: string,
      { tail, since }: Pick<LogOptions, 'tail'> & { readonly since?: string | undefined },
      until: AbortSignal,
    ): AsyncGenerator<{ readonly at: string; readonly text: string }, void> {
      const either = AbortSignal.any([signal, until]);
      const { attempt, call } = podCall(
        { of: 'log', namespace, name, container, follow: true, timestamps: true, tail, since },
        { signal: either },
      );
      const { transport } = client;
      const answer = await transport.open(call).catch((error: unknown) => {
        throw unreachable(attempt, transport.address(), error);
      });
      if (answer.status !== 200) {
        throw refusalOf(attempt, readStatus(answer.status, await bodyStart(answer, longestRefusal, either)));
      }
      for await (const line of textLines(bodyBytes(answer, either))) yield timedLine(line);
    },
    async *livePods(namespace: string, ownerUid: string, until: AbortSignal, onTrouble: OnTrouble) {
      const which = { namespace, labelSelector: `${labels.owner}=${ownerUid}` };
      for await (const items of liveList(client, pods, which, clock, until, onTrouble)) {
        yield items.map((item) => plainObject(item));
      }
    },
    async *liveModels(
      namespace: string | undefined,
      name: string | undefined,
      until: AbortSignal,
      onTrouble: OnTrouble,
    ) {
      const which = { namespace, ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }) };
      for await (const items of liveList(client, modelDeployments, which, clock, until, onTrouble)) {
        yield items.map((item) => plainObject(item));
      }
    },
  };
}

/** The API server puts the time before each line. A piece of one that is too long has none of its own. */
function timedLine(line: string): { readonly at: string; readonly text: string } {
  const [, at = '', text = line] = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s.exec(line) ?? [];
  return { at, text };
}

const longestRefusal = 64 * 1024;
