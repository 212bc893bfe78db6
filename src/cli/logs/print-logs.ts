/** What the instances of a model have printed until now, one after the other. */
import { mapBounded } from '../../kernel/bounded.ts';
import { type Asked, asked } from '../cluster/asked.ts';
import type { Model } from '../cluster/model.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { note } from '../output/say.ts';
import type { ApiObject, InstanceReader, Ports } from '../ports.ts';
import type { PodFacts } from '../why/pod-facts.ts';
import { containerIn, containerName, type LogWish, shownLine, wantedPods } from './log-choice.ts';
import { Prefixes } from './prefix.ts';

/** Pods whose logs are read at the same time. */
const atOnce = 4;

export async function printLogs(model: Model, wish: LogWish, ports: Ports, reader: InstanceReader): Promise<ExitCode> {
  const { namespace, uid } = model.metadata;
  const objects = await reader.pods(namespace, uid);
  const pods = wantedPods(objects, wish);
  if (pods.length === 0) return tellNone(model, wish, ports, objects);
  const answers = await mapBounded(pods, atOnce, async (pod) =>
    hasPrinted(pod, wish) ? await asked(() => reader.log(namespace, pod.name, containerName(wish), wish)) : undefined,
  );
  const prefixes = new Prefixes(ports.out);
  const [first] = answers;
  const isTold = pods.some((pod, at) => answers[at]?.known !== false || isFirstStart(pod, wish));
  if (first?.known === false && !isTold) throw first.error;
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

/** @param objects pods of the model */
export function tellNone(
  { metadata: { name, namespace } }: Model,
  wish: LogWish,
  { err }: Ports,
  objects: readonly ApiObject[],
): ExitCode {
  const more = `\`kubectl maas why ${name} -n ${namespace}\` tells more`;
  if (wish.instance === undefined) {
    note(err, `there are no instances; ${more}`);
    return exitCodes.ok;
  }
  const others = wantedPods(objects, { instance: undefined }).map((pod) => pod.name);
  const shown = [...others.slice(0, mostNamed), ...(others.length > mostNamed ? ['...'] : [])];
  const instead = shown.length === 0 ? '' : `, but ${shown.join(', ')}`;
  note(err, `there is no instance ${wish.instance}${instead}; ${more}`);
  return exitCodes.notFound;
}

const mostNamed = 5;

function hasPrinted(pod: PodFacts, wish: LogWish): boolean {
  const container = containerIn(pod, wish);
  return container !== undefined && (container.state !== 'waiting' || container.ended !== undefined);
}

/** Nothing ran before that could have printed. */
function isFirstStart(pod: PodFacts, wish: LogWish): boolean {
  return wish.previous && containerIn(pod, wish)?.restarts === 0;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function whyNot(pod: PodFacts, answer: Asked<string> | undefined, wish: LogWish): string {
  if (isFirstStart(pod, wish)) return `${pod.name} has not been started again, so nothing ran before`;
  if (answer?.known === false) return `${pod.name}: ${answer.error.message}`;
  const waits = containerIn(pod, wish)?.waiting ?? pod.scheduled?.message ?? '';
  return `${pod.name} has printed nothing yet${waits === '' ? '' : `: ${waits}`}`;
}
