/** The shape of `why -o json`: fields are added, never renamed or removed. */
import type { Reason } from '../../contracts/reasons.ts';
import type { JsonShape } from '../define-command.ts';

/** What to do next. */
export interface NextAction {
  /** In words; null where the command says it. */
  readonly says: string | null;
  readonly command: string | null;
}

export interface Story {
  readonly kind: 'ModelStory';
  readonly apiVersion: 'cli.maas.dev/v1';
  readonly namespace: string;
  readonly resource: string;
  readonly model: string;
  readonly version: string;
  readonly served: boolean;
  readonly complete: boolean;
  readonly paused: boolean;
  readonly reason: Reason;
  readonly message: string;
  /** RFC 3339, since when the reason's condition is as it is. */
  readonly since: string | null;
  readonly stalled: { readonly reason: string; readonly message: string } | null;
  /** A version that is about to take the place of another one. */
  readonly rollout: {
    readonly from: string;
    readonly to: string;
    readonly startedAt: string;
    readonly answering: number;
    readonly needed: number;
    readonly released: boolean;
  } | null;
  /** What fails behind its shields. */
  readonly calls: string | null;
  readonly next: NextAction;
  /** The command that sets it back to what served before, where it cannot get any further. */
  readonly goBack: string | null;
  readonly clients: {
    readonly version: string | null;
    readonly registered: number | null;
    readonly desired: number;
    readonly urls: readonly string[];
    readonly functions: readonly string[];
  };
  readonly payload: {
    readonly path: string;
    readonly copy: string | null;
    readonly user: string | null;
    readonly files: number | null;
    readonly bytes: number | null;
    readonly digest: string | null;
    readonly heard: string | null;
  };
  readonly instances: readonly InstanceStory[];
  /** How many more there are whose story would be alike, or who are well. */
  readonly untold: number;
  readonly unread: readonly string[];
}

export interface InstanceStory {
  readonly pod: string;
  readonly version: string | null;
  readonly node: string | null;
  readonly reason: Reason;
  readonly waitsFor: string | null;
  readonly steps: readonly {
    readonly step: string;
    readonly at: string;
    readonly tookMs: number | null;
    readonly detail: string | null;
  }[];
  readonly heard: readonly {
    readonly from: string;
    readonly at: string | null;
    readonly times: number;
    readonly words: string;
  }[];
  readonly script: TailStory | null;
  readonly agent: TailStory | null;
  readonly next: NextAction;
}

export interface TailStory {
  readonly previous: boolean;
  readonly lines: readonly string[];
}

/** Fields of `why -o json`, in the order of the output. */
export const storyFields: JsonShape['fields'] = [
  ['namespace', 'Namespace of the resource.'],
  ['resource', 'metadata.name of the ModelDeployment.'],
  ['model', 'The model, as Stellar names it.'],
  ['version', 'The wanted version.'],
  ['served', 'True when clients get some version of it.'],
  ['complete', 'True when all wanted instances of the present spec are up as the mode asks for.'],
  ['paused', 'True while `spec.paused` keeps the operator from acting.'],
  ['reason', 'Why it is, or is not, up: one word.'],
  ['message', 'The same in the words of the status.'],
  ['since', 'Since when it is up, or is not; null where nobody says.'],
  ['stalled', 'Reason and message where nothing but a change by somebody can help; else null.'],
  [
    'rollout',
    'A version that is about to take the place of another one: from, to, startedAt, answering, needed, released; else null.',
  ],
  ['calls', 'Which calls fail behind its shields, in words; null where none has in the last five minutes.'],
  ['next.says', 'What to do next, in words; null where the command says it, or nothing is to be done.'],
  ['next.command', 'The same as a command that can be pasted; null where there is none.'],
  ['goBack', 'The command that sets it back to what served before, where it is stalled and something has; else null.'],
  ['clients.version', 'The version that clients get; null when none.'],
  ['clients.registered', 'Instances that clients see; null while that is not known.'],
  ['clients.desired', 'Wanted instances.'],
  ['clients.urls', 'URLs that clients call.'],
  ['clients.functions', 'Functions that clients may name, with their paths.'],
  ['payload.path', 'Where the payload is in HDFS.'],
  ['payload.copy', 'The copy in the payload store that instances read; null where they read the path.'],
  ['payload.user', 'The user of HDFS that instances read it as; null where that is not known.'],
  ['payload.files', 'How many files; null before it was found. So `bytes` and `digest`.'],
  ['payload.heard', 'What HDFS says of it, where that is not well; else null.'],
  ['instances[].pod', 'Pod of the instance; the worst first.'],
  ['instances[].version', 'Its version; null where the status does not say.'],
  ['instances[].node', 'Its node; null before it has one.'],
  ['instances[].reason', 'Registered, or what it waits for or fails at.'],
  ['instances[].waitsFor', 'What it waits for or fails at, in words; null for one that is up.'],
  [
    'instances[].steps[].step',
    'A step that it has taken: made, scheduled, images, agent, payload, script, endpoint, listening, warm-up, released or registered.',
  ],
  ['instances[].steps[].at', 'When it was done, RFC 3339.'],
  ['instances[].steps[].tookMs', 'Milliseconds since the step before; null of the first.'],
  ['instances[].steps[].detail', 'More about it; null where there is no more.'],
  ['instances[].heard[].from', 'Who says something about it: scheduler, kubelet, HDFS.'],
  ['instances[].heard[].at', 'When that was last said; null where nobody says when. `times`: how often.'],
  ['instances[].heard[].words', 'What they say.'],
  ['instances[].script.lines', 'Last lines of the script; `script` is null where they were not read.'],
  ['instances[].script.previous', 'True when they are of the start before.'],
  ['instances[].agent.lines', 'The same of the agent.'],
  ['instances[].next', 'What to do about it, as above.'],
  ['untold', 'How many more instances there are that are not in `instances`.'],
  ['unread', 'What could not be read, and why.'],
];
