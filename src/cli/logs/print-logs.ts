/** What the instances of a model have printed until now, one after the other. */
import { mapBounded } from '../../kernel/bounded.ts';
import { type Asked, asked } from '../cluster/asked.ts';
import type { Model } from '../cluster/model.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { note } from '../output/say.ts';
import type { InstanceReader, Ports } from '../ports.ts';
import type { PodFacts } from '../why/pod-facts.ts';
import { containerIn, containerName, type LogWish, shownLine, wantedPods } from './log-choice.ts';
import { Prefixes } from './prefix.ts';

/** Pods whose logs are read at the same time. */
const atOnce = 4;

export async function printLogs(model: Model, wish: LogWish, ports: Ports, reader: InstanceReader): Promise<ExitCode> {
  const { namespace, uid } = model.metadata;
  const pods = wantedPods(await reader.pods(namespace, uid), wish);
  if (pods.length === 0) return tellNone(model, wish, ports);
  const answers = await mapBounded(pods, atOnce, async (pod) =>
    hasPrinted(pod, wish) ? await asked(() => reader.log(namespace, pod.name, containerName(wish), wish)) : undefined,
  );
  const prefixes = new Prefixes(ports.out);
  const [only] = answers;
  if (pods.length === 1 && only?.known === false) throw only.error;
  for (const [at, pod] of pods.entries()) {
    const answer = answers[at];
    if (answer?.known !== true) note(ports.err, whyNot(pod, answer, wish));
    else {
      const prefix = pods.length === 1 ? '' : prefixes.of(pod.name);
      for (const line of linesOf(answer.value)) ports.out.write(`${prefix}${shownLine(line, wish, ports.out)}`);
    }
  }
  return exitCodes.ok;
}

function tellNone({ metadata: { name, namespace } }: Model, { instance }: LogWish, { err }: Ports): ExitCode {
  const what = instance === undefined ? 'there are no instances' : `there is no instance ${instance}`;
  note(err, `${what}; \`kubectl maas why ${name} -n ${namespace}\` tells more`);
  return instance === undefined ? exitCodes.ok : exitCodes.notFound;
}

function hasPrinted(pod: PodFacts, wish: LogWish): boolean {
  const container = containerIn(pod, wish);
  return container !== undefined && (container.state !== 'waiting' || container.ended !== undefined);
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function whyNot(pod: PodFacts, answer: Asked<string> | undefined, wish: LogWish): string {
  if (answer?.known === false) return `${pod.name}: ${answer.error.message}`;
  const waits = containerIn(pod, wish)?.waiting ?? pod.scheduled?.message ?? '';
  return `${pod.name} has printed nothing yet${waits === '' ? '' : `: ${waits}`}`;
}
