/** The story of a model for people. Pure. */
import { formatAge, formatDuration } from '../../contracts/duration.ts';
import { formatBytes } from '../../contracts/quantity.ts';
import { traitsOf } from '../../contracts/reasons.ts';
import { oneLine, seenOnTerminal, visible } from '../../kernel/shown-text.ts';
import { type Colour, paint } from '../output/colour.ts';
import { counted } from '../output/counted.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { foldTo } from '../output/text-columns.ts';
import type { Look } from '../ports.ts';
import { agentLine } from './agent-log.ts';
import type { InstanceStory, NextAction, Story, TailStory } from './story-shape.ts';

interface Options extends Look {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function printStory(story: Story, format: OutputFormat | undefined, options: Options): string {
  return printAs(format, story, {
    name: () => `${visible(story.reason)}\n`,
    table: () =>
      [
        headline(story, options),
        summary(story, options),
        ...story.instances.map((instance) => `\n${instanceText(instance, story, options)}`),
        ...(story.untold > 0 ? [`\n${untold(story)}\n`] : []),
        ...story.unread.map((what) => field('not read', what, options)),
      ].join(''),
  });
}

function headline(story: Story, options: Options): string {
  const { model, version, paused } = story;
  const colour: Colour = story.stalled !== null ? 'red' : story.complete && !paused ? 'green' : 'yellow';
  const text = `${model} ${version} ${verdict(story)}${paused ? ', and is paused' : ''}`;
  return `${paint(options, colour, visible(text))}\n`;
}

/** Clients first: it is for them that it runs. */
function verdict({ served, complete, reason, version, clients }: Story): string {
  const counts = `${clients.registered ?? '?'} of ${clients.desired} registered`;
  if (complete && traitsOf(reason).expected === 'unregistered') return `is up and not registered, by the mode`;
  if (complete && clients.desired === 0) return 'is stopped: no instances are wanted';
  if (!served) return clients.registered === null ? `is not known to be served: ${counts}` : `is not served: ${counts}`;
  if (clients.version !== version) return `is not served: clients get version ${clients.version}`;
  return complete ? `is served: ${counts}` : `is not fully served: ${counts}`;
}

function summary(story: Story, options: Options): string {
  const { clients, payload, reason, message, since, stalled, next, rollout, goBack, calls } = story;
  const age = since === null ? '' : ` for ${formatAge(options.now - Date.parse(since))}, since ${clock(since)}`;
  const urls = clients.urls.slice(0, shownUrls).join(', ');
  const more = Math.max(clients.urls.length, clients.registered ?? 0) - shownUrls;
  const known = clients.registered === null ? 'what they see is not known' : 'see no instance';
  const sees =
    clients.version === null
      ? known
      : `get version ${clients.version}${urls === '' ? '' : ` at ${urls}`}${more > 0 ? ` and ${more} more` : ''}`;
  return [
    field('why', `${reason}${age}${message === '' ? '' : `: ${message}`}`, options),
    ...(stalled === null ? [] : [field('stalled', stalledText(story, stalled), options)]),
    ...(rollout === null ? [] : [field('switch', switchText(story, rollout, options), options)]),
    optional('calls', calls, options),
    nextText(unsaid(next, message), options),
    ...(goBack === null ? [] : [`  ${paint(options, 'bold', 'go back')}    ${visible(goBack)}\n`]),
    field('clients', sees, options),
    ...(clients.functions.length === 0 ? [] : [field('functions', clients.functions.join(', '), options)]),
    field('payload', payloadText(payload), options),
    ...(payload.heard === null || message.includes(payload.heard.replace(/^\w+: /, ''))
      ? []
      : [field('HDFS', payload.heard, options)]),
    field('resource', `${story.namespace}/${story.resource}`, options),
  ].join('');
}

function optional(label: string, text: string | null, options: Options): string {
  return text === null ? '' : field(label, text, options);
}

/** The words of the status mostly end with the advice. */
function unsaid({ says, command }: NextAction, message: string): NextAction {
  return { says: says !== null && command !== null && message.includes(says) ? null : says, command };
}

/** It mostly repeats what it is for. */
function stalledText({ reason, message }: Story, stalled: NonNullable<Story['stalled']>): string {
  if (message.includes(stalled.message)) return 'it cannot come up by itself';
  return `${stalled.reason}: ${stalled.message.replace(`: ${reason}: ${message}`, '')}`;
}

function switchText({ paused }: Story, rollout: NonNullable<Story['rollout']>, { now }: Options): string {
  const { from, to, startedAt, answering, needed, released } = rollout;
  const going = released ? 'they are being registered' : `${needed} must before they are registered together`;
  const gate = paused ? 'and nothing goes on while it is paused' : going;
  const age = formatAge(now - Date.parse(startedAt));
  return `from version ${from} to ${to}, begun ${age} ago: ${counted(answering, 'instance')} of ${to} ${answering === 1 ? 'answers' : 'answer'}, ${gate}`;
}

const shownUrls = 3;

function payloadText({ path, copy, user, files, bytes, digest }: Story['payload']): string {
  const from = copy === null ? path : `${path}, read from its copy ${copy}`;
  const as = user === null ? '' : ` as user ${user}`;
  if (files === null || bytes === null) return `${from}${as}`;
  const short = digest === null ? '' : `, ${digest.slice(0, shownDigest)}`;
  return `${from}${as}; ${counted(files, 'file')}, ${formatBytes(bytes)}${short}`;
}

/** `sha256:` and twelve digits. */
const shownDigest = 19;

/** What the model as a whole says already is not said again. */
function instanceText(instance: InstanceStory, story: Story, options: Options): string {
  const { pod, version, node, reason, steps, waitsFor, heard, script, agent, next } = instance;
  const { severity } = traitsOf(reason);
  const colour: Colour = severity === 'failing' ? 'red' : severity === 'up' ? 'green' : 'yellow';
  const other = version === null || version === story.version ? '' : ` of version ${version}`;
  const where = `${other}${node === null ? '' : ` on ${node}`}`;
  return [
    `${paint(options, 'bold', visible(pod))}${visible(where)}: ${paint(options, colour, visible(reason))}\n`,
    ...steps.map((step) => stepText(step, options)),
    ...(waitsFor === null || story.message.includes(waitsFor)
      ? []
      : [field(severity === 'failing' ? 'fails at' : 'waits for', waitsFor, options)]),
    ...heard.map(({ from, at, times, words }) => {
      const when = at === null ? '' : ` ${formatAge(options.now - Date.parse(at))} ago`;
      const often = times > 1 ? `${when === '' ? '' : ','} ${times} times` : '';
      return field(from, `${when === '' && often === '' ? '' : `(${`${when}${often}`.trim()}) `}${words}`, options);
    }),
    tailText(script?.previous === true ? 'last start' : 'script', script, (line) => line, options),
    tailText('agent', agent, agentLine, options),
    ...(next.command === story.next.command ? [] : [nextText(next, options)]),
  ].join('');
}

function stepText({ step, at, tookMs, detail }: InstanceStory['steps'][number], options: Options): string {
  const took =
    tookMs === null ? '' : `+${tookMs < 60_000 ? `${(tookMs / 1_000).toFixed(1)}s` : formatDuration(tookMs)}`;
  const head = `  ${clock(at)} ${took.padStart(8)}  `;
  if (detail === null) return `${head}${step}\n`;
  const room = options.width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, options.width - hanging.length);
  return foldTo(room, visible(detail))
    .map((line, index) => `${index === 0 ? `${head}${step.padEnd(10)} ` : hanging}${line}\n`)
    .join('');
}

const hanging = ' '.repeat(33);

/** Each line of a log for itself: nothing in it can look like one of ours. */
function tailText(label: string, tail: TailStory | null, lineOf: (line: string) => string, options: Options): string {
  if (tail === null) return '';
  if (tail.lines.length === 0) return field(label, '(printed nothing)', options);
  const pieces = tail.lines.flatMap((line) =>
    foldTo(roomOf(label, options) - 2, oneLine(seenOnTerminal(lineOf(line)), longestLine)).map(
      (piece, index) => `${index === 0 ? '| ' : '  '}${piece}`,
    ),
  );
  return hung(label, pieces);
}

/** Of a line that is longer the rest is in the log. */
const longestLine = 500;

/** The command stands on a line of its own, whole, so that it can be pasted. */
function nextText({ says, command }: NextAction, options: Options): string {
  const label = paint(options, 'bold', 'next');
  const words = says === null ? '' : field('next', says, options, label);
  if (command === null) return words;
  return `${words}  ${says === null ? label + ' '.repeat(labelWidth - 'next'.length) : ' '.repeat(labelWidth)}${visible(command)}\n`;
}

const labelWidth = 11;

/** @param painted the label in colour: colours take no room */
function field(label: string, text: string, { width }: Look, painted = label): string {
  return hung(label, foldTo(roomOf(label, { width }), visible(text)), painted);
}

function indentOf(label: string): number {
  return Math.max(labelWidth, label.length + 1);
}

function roomOf(label: string, { width }: Pick<Look, 'width'>): number {
  return width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, width - indentOf(label) - 2);
}

function hung(label: string, lines: readonly string[], painted = label): string {
  const indent = indentOf(label);
  return lines
    .map(
      (line, index) =>
        `  ${index === 0 ? `${painted}${' '.repeat(indent - label.length)}` : ' '.repeat(indent)}${line}\n`,
    )
    .join('');
}

function untold({ untold: count, complete, resource, namespace, instances }: Story): string {
  const more = counted(count, 'more instance');
  const areAllUp = complete && instances.every(({ waitsFor }) => waitsFor === null);
  return areAllUp ? `${more}, up as well.` : `${more}: \`kubectl maas watch ${resource} -n ${namespace}\` shows all.`;
}

/** `08:12:03Z`, with the day where it is another. */
function clock(time: string): string {
  return time.replace(/^.*T/, '').replace(/\.\d+/, '');
}
