import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaasError } from '../../contracts/errors.ts';
import type { AgentMode } from '../../contracts/modes.ts';
import type { EndpointFile } from '../../wire/endpoint-file.ts';
import { wakeAt } from './deadlines.ts';
import type { Action, Answer, Event } from './events.ts';
import { step } from './lifecycle.ts';
import { currentProblem, modelIsLive } from './problems.ts';
import { type Asked, initialState, type Limits, looking, type Remains, type State, usualLimits } from './state.ts';

const limits: Limits = { ...usualLimits, startup: 600_000, unregister: 10_000 };
const endpoint = (port: number): EndpointFile => ({
  scheme: 'http',
  port,
  path: '',
  functions: { apply: 'apply' },
  otherHost: undefined,
});
const problem = { code: 'ZOOKEEPER_TIMEOUT', message: 'late', next: 'wait' };
const newPod: Remains = { gateOpen: false, stopping: false, revoked: false };

const looked = (mark: string, port?: number, answer: Answer = 'answers'): Event => ({
  type: 'look',
  look:
    port === undefined
      ? { mark, reading: { kind: 'absent' } }
      : {
          mark,
          reading: { kind: 'valid', endpoint: endpoint(port) },
          asked: { endpoint: endpoint(port), answer },
        },
});
const halfWritten: Event = {
  type: 'look',
  look: { mark: 'a', reading: { kind: 'unusable', problem: new MaasError('ENDPOINT_NOT_JSON', 'cut off') } },
};
const connected: Event = { type: 'zookeeper', session: 'connected' };
const suspended: Event = { type: 'zookeeper', session: 'suspended' };
const inMode = (mode: AgentMode): Event => ({ type: 'mode', mode });
const held = (word: boolean): Event => ({ type: 'hold', held: word });
const registered: Event = { type: 'registered', url: 'http://10.0.0.7:1500', written: true };

/** An agent that time and events happen to. */
class Story {
  state: State;
  now = 0;
  readonly actions: Action[] = [];

  constructor(remains: Remains = newPod, mode: AgentMode | 'unknown' = 'active', asked?: Asked) {
    this.state = initialState(limits, remains, 0, asked);
    this.tell({ type: 'tick' }, ...(mode === 'unknown' ? [] : [inMode(mode)]));
  }

  /** @returns what was to be done, shortened to what matters */
  tell(...events: Event[]): string[] {
    const told: Action[] = [];
    for (const event of events) {
      const { state, actions } = step(this.state, event, this.now);
      this.state = state;
      told.push(...actions);
    }
    this.actions.push(...told);
    return told.map(shortened);
  }

  /** Lets time pass, waking the agent whenever it asked for it. */
  wait(ms: number): string[] {
    const end = this.now + ms;
    const told: string[] = [];
    for (let due = wakeAt(this.state, this.now); due !== undefined && due <= end; due = wakeAt(this.state, this.now)) {
      this.now = due;
      told.push(...this.tell({ type: 'tick' }));
    }
    this.now = end;
    return told;
  }

  get problem(): string | undefined {
    return currentProblem(this.state, this.now)?.code;
  }

  get live(): boolean {
    return modelIsLive(this.state, this.now);
  }
}

function shortened(action: Action): string {
  switch (action.do) {
    case 'register':
      return `register ${action.endpoint.port}`;
    case 'set-ready':
      return action.ready ? 'ready' : 'not ready';
    case 'say-stopped':
      return action.neverRegistered ? 'stopped, never registered' : 'stopped';
    case 'ask-restart':
      return `restart ${action.mark}: ${action.why.code}`;
    case 'give-up':
      return `give up: ${action.problem.code}`;
    default:
      return action.do;
  }
}

/** A story up to a registered and ready instance. */
function serving(): Story {
  const story = new Story();
  story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected, looked('a', 1500), registered);
  expect(story.state.stage).toBe('Registered');
  expect(story.wait(limits.retry)).toEqual([]);
  return story;
}

describe('a start', () => {
  it('goes from the payload to the registration', () => {
    const story = new Story();
    expect(story.state.stage).toBe('Starting');
    const progress = { bytesDone: 1, bytesTotal: 2, filesDone: 0, filesTotal: 1 };
    expect(story.tell({ type: 'payload-progress', progress })).toEqual([]);
    expect(story.state.stage).toBe('FetchingPayload');
    expect(story.tell({ type: 'payload-verified' })).toEqual(['open-gate']);
    expect(story.tell({ type: 'gate-opened' })).toEqual([]);
    expect(story.state.stage).toBe('WaitingForEndpoint');
    expect(story.tell(connected)).toEqual([]);
    expect(story.tell(looked('a'))).toEqual([]);
    expect(story.tell(looked('a', 1500, 'none'))).toEqual([]);
    expect(story.state.stage).toBe('WaitingForListener');
    expect(story.tell(looked('a', 1500))).toEqual(['register 1500']);
    expect(story.state.stage).toBe('Registering');
    expect(story.state.ready).toBe(false);
    expect(story.tell(registered)).toEqual(['ready']);
    expect(story.state.stage).toBe('Registered');
    expect(story.problem).toBeUndefined();
  });

  it('waits for ZooKeeper with the registration alone, and says so', () => {
    const story = new Story();
    expect(story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, looked('a', 1500))).toEqual(['open-gate']);
    expect(story.problem).toBeUndefined();
    expect(story.wait(2 * limits.startup)).toEqual([]);
    expect(story.problem).toBe('ZOOKEEPER_UNREACHABLE');
    expect(story.live).toBe(true);
    expect(story.tell(connected)).toEqual(['register 1500']);
  });

  it('tells of transient trouble with the payload, and gives up on what cannot pass', () => {
    const story = new Story();
    story.tell({ type: 'payload-trouble', problem });
    expect(story.problem).toBe('ZOOKEEPER_TIMEOUT');
    expect(story.state.stage).toBe('FetchingPayload');
    expect(story.tell({ type: 'payload-lost', problem }, { type: 'tick' })).toEqual(['give up: ZOOKEEPER_TIMEOUT']);
  });

  it('believes no endpoint before the shell of the model has started', () => {
    const story = new Story();
    story.tell({ type: 'payload-verified' }, connected);
    expect(story.tell(looked('a', 1500))).toEqual([]);
    story.tell({ type: 'gate-opened' });
    const stale = { ...looked('a', 1500) } as Extract<Event, { type: 'look' }>;
    expect(story.tell({ ...stale, look: { ...stale.look, mark: undefined } })).toEqual([]);
  });

  it('tells of a half-written endpoint only after a second', () => {
    const story = new Story();
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, halfWritten);
    expect(story.problem).toBeUndefined();
    story.wait(limits.notice);
    story.tell(halfWritten);
    expect(story.problem).toBe('ENDPOINT_NOT_JSON');
    story.tell(looked('a', 1500, 'none'));
    expect(story.problem).toBeUndefined();
  });

  it.each<[Answer, string]>([
    ['none', 'ENDPOINT_NOT_LISTENING'],
    ['elsewhere', 'ENDPOINT_NOT_REACHABLE'],
    ['loopback-only', 'ENDPOINT_LOOPBACK_ONLY'],
    ['unhealthy', 'ENDPOINT_UNHEALTHY'],
  ])('tells why an endpoint is not registered: %s', (answer, code) => {
    const story = new Story();
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected, looked('a', 1500, answer));
    story.wait(limits.notice);
    expect(story.problem).toBe(code);
    expect(story.state.registration.kind).toBe('none');
  });

  it.each<[string[], string, string, string, string]>([
    [['0.0.0.0'], '[fd00::5]', '::', 'listens on 0.0.0.0 only, but clients are told [fd00::5]', 'bind to ::.'],
    [['::'], '10.0.0.7', '0.0.0.0', 'listens on :: for IPv6 only, but clients are told 10.0.0.7', 'bind to 0.0.0.0.'],
    [
      ['10.0.0.8', 'fd00::6'],
      'models.example',
      '0.0.0.0 or ::',
      'listens on 10.0.0.8 and fd00::6 only, but clients are told models.example',
      'bind to 0.0.0.0 or ::.',
    ],
  ])(
    'says what a model that listens on %j should bind to where clients are told %s',
    (found, told, advice, what, next) => {
      const story = new Story();
      const reading = { kind: 'valid', endpoint: endpoint(1500) } as const;
      const asked = { endpoint: endpoint(1500), answer: 'elsewhere', binding: { found, told, advice } } as const;
      story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected);
      story.tell({ type: 'look', look: { mark: 'a', reading, asked } });
      story.wait(limits.notice);
      const problem = currentProblem(story.state, story.now);
      expect(problem?.message).toContain(what);
      expect(problem?.next).toContain(next);
    },
  );

  it('asks for a restart when no endpoint came in time, counted from the start of the model', () => {
    const story = new Story();
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' });
    // The image of the model may take longer to come than the model to start.
    expect(story.wait(2 * limits.startup)).toEqual([]);
    story.tell(looked('a'));
    expect(story.wait(limits.startup - 1)).toEqual([]);
    expect(story.live).toBe(true);
    expect(story.wait(1)).toEqual(['restart a: ENDPOINT_MISSING']);
    expect(story.live).toBe(false);
    expect(story.problem).toBe('ENDPOINT_MISSING');
    // Nobody may have heard it.
    expect(story.wait(limits.askAgain)).toEqual(['restart a: ENDPOINT_MISSING']);
    story.tell(looked('b'));
    expect(story.live).toBe(true);
    expect(story.problem).toBe('ENDPOINT_MISSING');
    expect(story.wait(limits.startup - 1)).toEqual([]);
    story.tell(looked('b', 1500));
    expect(story.problem).not.toBe('ENDPOINT_MISSING');
  });
});

describe('a registered model', () => {
  it('is at rest', () => {
    const story = serving();
    for (let second = 0; second < 100; second += 1) {
      expect(story.wait(1_000)).toEqual([]);
      expect(story.tell(looked('a', 1500))).toEqual([]);
    }
    expect(wakeAt(story.state, story.now)).toBeUndefined();
    expect(looking(story.state)).toBe('seldom');
  });

  it('stays registered through moments without a listener', () => {
    const story = serving();
    for (let turn = 0; turn < 10; turn += 1) {
      expect(story.tell(looked('a', 1500, 'none'))).toEqual([]);
      expect(story.wait(limits.silence - 1)).toEqual([]);
      expect(story.tell(looked('a', 1500))).toEqual([]);
    }
  });

  it('is unregistered when nothing listens any more, and comes back', () => {
    const story = serving();
    story.tell(looked('a', 1500, 'none'));
    expect(story.wait(limits.silence)).toEqual(['unregister', 'not ready']);
    expect(story.tell({ type: 'unregistered' })).toEqual([]);
    expect(story.state.stage).toBe('NotAnswering');
    expect(story.problem).toBe('ENDPOINT_NOT_LISTENING');
    expect(story.tell(looked('a', 1500))).toEqual(['register 1500', 'ready']);
    expect(story.tell(registered)).toEqual([]);
  });

  it('is unregistered after three failed health checks in a row', () => {
    const story = serving();
    expect(story.tell(looked('a', 1500, 'unhealthy'), looked('a', 1500, 'unhealthy'))).toEqual([]);
    expect(story.tell(looked('a', 1500), looked('a', 1500, 'unhealthy'), looked('a', 1500, 'unhealthy'))).toEqual([]);
    expect(story.tell(looked('a', 1500, 'unhealthy'))).toEqual(['unregister', 'not ready']);
  });

  it('is asked to restart when it stays silent', () => {
    const story = serving();
    story.tell(looked('a', 1500, 'none'));
    expect(story.wait(limits.hang - 1)).toEqual(['unregister', 'not ready']);
    story.tell({ type: 'unregistered' });
    expect(story.wait(1)).toEqual(['restart a: ENDPOINT_NOT_LISTENING']);
    expect(story.live).toBe(false);
    story.tell(looked('b'));
    expect(story.live).toBe(true);
  });

  it('is unregistered at once when its container restarted', () => {
    const story = serving();
    expect(story.tell(looked('b'))).toEqual(['unregister', 'not ready']);
    expect(story.tell({ type: 'unregistered' })).toEqual([]);
    expect(story.state.stage).toBe('WaitingForEndpoint');
    expect(story.tell(looked('b', 1501))).toEqual(['register 1501', 'ready']);
  });

  it('keeps its registration when endpoint.dat is removed or spoilt', () => {
    const story = serving();
    const asked = { endpoint: endpoint(1500), answer: 'answers' } as const;
    expect(story.tell({ type: 'look', look: { mark: 'a', reading: { kind: 'absent' }, asked } })).toEqual([]);
    story.wait(5_000);
    expect(story.tell({ ...halfWritten, look: { ...halfWritten.look, asked } })).toEqual([]);
    expect(story.problem).toBeUndefined();
  });

  it('cannot make clients dizzy by changing its endpoint all the time', () => {
    const story = serving();
    let registrations = 0;
    for (let turn = 0; turn < 100; turn += 1) {
      const told = [...story.wait(100), ...story.tell(looked('a', 1501 + (turn % 2)))];
      registrations += told.length;
      if (told.length > 0) story.tell(registered);
    }
    expect(registrations).toBeGreaterThan(5);
    expect(registrations).toBeLessThanOrEqual(10_000 / limits.retry);
  });

  it('is registered anew when it writes another endpoint that answers', () => {
    const story = serving();
    expect(story.tell(looked('a', 1501, 'none'))).toEqual([]);
    expect(story.tell(looked('a', 1501))).toEqual(['register 1501']);
    expect(story.tell(registered)).toEqual([]);
  });
});

describe('ZooKeeper', () => {
  it('makes nothing unready by being away or by forgetting the session', () => {
    const story = serving();
    expect(story.tell(suspended)).toEqual([]);
    expect(story.wait(600_000)).toEqual([]);
    expect(story.tell({ type: 'expired' })).toEqual([]);
    expect(story.state.ready).toBe(true);
    expect(story.tell(connected)).toEqual(['register 1500']);
    expect(story.tell(registered)).toEqual([]);
    expect(story.state.registrations).toBe(2);
  });

  it('has what somebody else wiped made again', () => {
    const story = serving();
    expect(story.tell({ type: 'disturbed' })).toEqual(['register 1500']);
    expect(story.tell({ type: 'disturbed' })).toEqual([]);
    expect(story.tell(registered)).toEqual([]);
    expect(story.wait(limits.retry)).toEqual(['register 1500']);
    expect(story.tell(registered)).toEqual([]);
  });

  it('is asked again when it refuses, and the reason is told', () => {
    const story = serving();
    story.tell({ type: 'expired' });
    expect(story.tell({ type: 'register-failed', problem })).toEqual([]);
    expect(story.problem).toBe('ZOOKEEPER_TIMEOUT');
    expect(story.wait(limits.retry)).toEqual(['register 1500']);
  });

  it('is obeyed when it says that the registration is revoked', () => {
    const story = serving();
    expect(story.tell({ type: 'revoked' })).toEqual(['unregister', 'not ready']);
    expect(story.tell({ type: 'unregistered' }, looked('a', 1500), looked('b', 1501))).toEqual([]);
    expect(story.state.stage).toBe('Unregistered');
    expect(story.problem).toBe('REGISTRATION_REVOKED');
  });
});

describe('a mode', () => {
  const started: Event[] = [{ type: 'payload-verified' }, { type: 'gate-opened' }, connected];

  it('is awaited before anything is registered', () => {
    const story = new Story(newPod, 'unknown');
    expect(story.tell(...started, looked('a', 1500))).toEqual(['open-gate']);
    expect(story.problem).toBeUndefined();
    story.wait(limits.notice);
    expect(story.problem).toBe('ZOOKEEPER_ERROR');
    expect(story.tell(inMode('active'))).toEqual(['register 1500']);
  });

  it('takes nothing away as long as it is not known', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' }, 'unknown');
    expect(story.tell({ type: 'gate-opened' }, connected, looked('a', 1500))).toEqual([]);
    expect(story.state.ready).toBe(true);
  });

  it.each<[AgentMode, string]>([
    ['shadow', 'Shadow'],
    ['drain', 'Drained'],
  ])('%s starts a model, keeps it unregistered, and has it ready while it answers', (mode, stage) => {
    const story = new Story(newPod, mode);
    expect(story.tell(...started)).toEqual(['open-gate']);
    expect(story.tell(looked('a'))).toEqual([]);
    expect(story.state.stage).toBe('WaitingForEndpoint');
    expect(story.tell(looked('a', 1500))).toEqual(['ready']);
    expect(story.state.stage).toBe(stage);
    expect(looking(story.state)).toBe('seldom');
    expect(story.wait(600_000)).toEqual([]);
    expect(story.problem).toBeUndefined();
    expect(story.tell({ type: 'stop' })).toEqual(['not ready', 'stopped, never registered']);
  });

  it('shadow looks after the model as always', () => {
    const story = new Story(newPod, 'shadow');
    story.tell(...started, looked('a', 1500), looked('a', 1500, 'none'));
    expect(story.wait(limits.silence)).toEqual(['not ready']);
    expect(story.state.stage).toBe('NotAnswering');
    expect(story.wait(limits.hang - limits.silence)).toEqual(['restart a: ENDPOINT_NOT_LISTENING']);
    expect(story.tell(looked('b', 1501))).toEqual(['ready']);
  });

  it('that turns active registers a model that is up, which stays ready meanwhile', () => {
    const story = new Story(newPod, 'shadow');
    story.tell(...started, looked('a', 1500));
    expect(story.tell(inMode('active'))).toEqual(['register 1500']);
    expect(story.tell({ type: 'register-failed', problem })).toEqual([]);
    expect(story.state.ready).toBe(true);
    expect(story.wait(limits.retry)).toEqual(['register 1500']);
    expect(story.tell(registered)).toEqual([]);
  });

  it.each<AgentMode>(['shadow', 'drain'])('that turns %s unregisters a model and lets it run', (mode) => {
    const story = serving();
    expect(story.tell(inMode(mode))).toEqual(['unregister']);
    expect(story.state.stage).toBe('Unregistering');
    expect(story.tell({ type: 'unregistered' })).toEqual([]);
    expect(story.state.ready).toBe(true);
    expect(story.live).toBe(true);
    expect(story.tell(inMode('active'))).toEqual(['register 1500']);
  });

  it('that turns in the middle of a registration is obeyed after it', () => {
    const story = new Story();
    story.tell(...started, looked('a', 1500));
    expect(story.tell(inMode('drain'))).toEqual(['ready']);
    expect(story.tell(registered)).toEqual(['unregister']);
  });

  it('that cannot be obeyed says why, and is obeyed later', () => {
    const story = serving();
    expect(story.tell(suspended, inMode('drain'))).toEqual([]);
    story.wait(limits.notice);
    expect(story.problem).toBe('ZOOKEEPER_UNREACHABLE');
    expect(story.tell(connected)).toEqual(['unregister']);
    expect(story.tell({ type: 'unregister-failed', problem })).toEqual([]);
    expect(story.problem).toBe('ZOOKEEPER_TIMEOUT');
    expect(story.wait(limits.retry)).toEqual(['unregister']);
  });

  it('changes nothing about what is revoked or stopped', () => {
    const story = new Story(newPod, 'shadow');
    story.tell(...started, looked('a', 1500), { type: 'revoked' });
    expect(story.tell(inMode('active'), looked('a', 1500))).toEqual([]);
    expect(story.state.stage).toBe('Unregistered');
  });
});

describe('a stop', () => {
  it('unregisters first and then says so', () => {
    const story = serving();
    expect(story.tell({ type: 'stop' })).toEqual(['unregister', 'not ready']);
    expect(story.tell({ type: 'unregistered' })).toEqual(['stopped']);
    expect(story.state.stage).toBe('Unregistered');
    expect(story.tell(looked('a', 1500), { type: 'stop' })).toEqual([]);
    expect(story.tell({ type: 'terminate' })).toEqual(['leave']);
  });

  it('says at once that there is nothing to drain where nothing was registered', () => {
    expect(new Story().tell({ type: 'stop' })).toEqual(['stopped, never registered']);
  });

  it('waits for a registration that is being made', () => {
    const story = new Story();
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected, looked('a', 1500));
    expect(story.tell({ type: 'stop' })).toEqual([]);
    expect(story.tell({ type: 'register-failed', problem })).toEqual(['unregister']);
    expect(story.tell({ type: 'unregistered' })).toEqual(['stopped']);
  });

  it('does not wait longer for ZooKeeper than its time, and registers never again', () => {
    const story = serving();
    story.tell(suspended, { type: 'terminate' });
    expect(story.wait(limits.unregister)).toEqual(['stopped', 'leave']);
    // ZooKeeper may come back while the model serves its last clients.
    expect(story.tell(connected, looked('a', 1500))).toEqual(['unregister']);
  });
});

describe('a restarted agent', () => {
  it('stays ready while it finds out how the model does', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' });
    expect(story.state.ready).toBe(true);
    expect(story.tell({ type: 'gate-opened' }, connected)).toEqual([]);
    expect(story.tell(looked('a', 1500))).toEqual(['register 1500']);
    expect(story.state.ready).toBe(true);
  });

  it('does not take the time until its first look for silence of the model', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' });
    story.tell({ type: 'gate-opened' }, connected);
    expect(story.wait(limits.silence * 2)).toEqual([]);
    expect(story.tell(looked('a', 1500, 'none'))).toEqual([]);
    expect(story.wait(limits.silence)).toEqual(['unregister', 'not ready']);
  });

  it('becomes unready when the model died meanwhile', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' });
    story.tell({ type: 'gate-opened' }, connected, looked('a', 1500, 'none'));
    expect(story.wait(limits.silence)).toEqual(['unregister', 'not ready']);
  });

  it('knows which start it left ready, also when that was not the first', () => {
    const story = serving();
    story.tell({ ...looked('b', 1500) });
    expect(story.actions.filter((action) => action.do === 'set-ready')).toEqual([
      { do: 'set-ready', ready: true, mark: 'a' },
      { do: 'set-ready', ready: true, mark: 'b' },
    ]);
  });

  it('gives a model that restarted meanwhile the time of a start', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' });
    expect(story.tell({ type: 'gate-opened' }, looked('b'))).toEqual(['not ready']);
    expect(story.wait(limits.startup - 1)).toEqual([]);
    expect(story.wait(1)).toEqual(['restart b: ENDPOINT_MISSING']);
  });

  it('leaves alone what an earlier one has registered and had no time to note, as long as nobody has looked', () => {
    const story = new Story({ ...newPod, gateOpen: true });
    expect(story.tell({ type: 'gate-opened' }, connected)).toEqual([]);
    expect(story.wait(10 * limits.silence)).toEqual([]);
    expect(story.tell(looked('a', 1500))).toEqual(['register 1500']);
    expect(story.tell({ ...registered, written: false })).toEqual(['ready']);
  });

  it('removes what an earlier one may have left of a model that does not answer, unless that is between two requests', () => {
    const story = new Story({ ...newPod, gateOpen: true });
    expect(story.tell({ type: 'gate-opened' }, connected, looked('a', 1500, 'none'))).toEqual([]);
    expect(story.wait(limits.silence - 1)).toEqual([]);
    expect(story.wait(1)).toEqual(['unregister']);
    const busy = new Story({ ...newPod, gateOpen: true });
    busy.tell({ type: 'gate-opened' }, connected, looked('a', 1500, 'none'));
    busy.wait(limits.silence - 1);
    expect(busy.tell(looked('a', 1500))).toEqual(['register 1500']);
  });

  it('removes at once what an earlier one may have left of a model that has only just started', () => {
    const story = new Story({ ...newPod, gateOpen: true });
    expect(story.tell({ type: 'gate-opened' }, connected, looked('a'))).toEqual(['unregister']);
    const known = new Story({ ...newPod, gateOpen: true, registered: { mark: 'a', endpoint: endpoint(1500) } });
    expect(known.tell({ type: 'gate-opened' }, connected, looked('b', 1500, 'none'))).toEqual(['unregister']);
  });

  it.each([undefined, 'a'])(
    'knows the endpoint that was registered of the same start only (ready: %s)',
    (readyMark) => {
      const remains = { ...newPod, gateOpen: true, registered: { mark: 'a', endpoint: endpoint(1500) } };
      const story = new Story({ ...remains, ...(readyMark === undefined ? {} : { readyMark }) });
      expect(story.state).toMatchObject({ start: { mark: 'a' }, endpoint: { port: 1500 } });
      expect(new Story({ ...remains, readyMark: 'b' }).state.endpoint).toBeUndefined();
      story.tell({ type: 'gate-opened' }, connected, looked('b'));
      expect(story.state.endpoint).toBeUndefined();
    },
  );

  it.each(['shadow', 'drain'] as const)(
    'removes at once what an earlier one may have left where the mode is %s',
    (mode) => {
      const story = new Story({ ...newPod, gateOpen: true }, mode);
      expect(story.tell({ type: 'gate-opened' }, connected)).toEqual(['unregister']);
    },
  );

  it('goes on with a stop', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a', stopping: true });
    expect(story.tell(connected)).toEqual(['unregister']);
    expect(story.tell({ type: 'unregistered' })).toEqual(['stopped']);
    expect(looking(story.state)).toBe('never');
  });

  it('goes on being revoked', () => {
    const story = new Story({ ...newPod, gateOpen: true, revoked: true });
    expect(story.tell({ type: 'gate-opened' }, connected, looked('a', 1500))).toEqual(['unregister']);
  });
});

describe('a version that is held', () => {
  const asked: Asked = { mayBeHeld: true, warmUp: false };
  const up = () => {
    const story = new Story(newPod, 'active', asked);
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected, looked('a', 1500));
    return story;
  };

  it('is ready and not registered until it is released', () => {
    const story = up();
    // Nobody has said anything yet.
    expect([story.state.ready, story.actions.map(shortened)]).toEqual([false, ['open-gate']]);
    expect(story.tell(held(true))).toEqual(['ready']);
    expect(story.state.stage).toBe('Held');
    expect(story.problem).toBeUndefined();
    expect(story.tell(held(false))).toEqual(['register 1500']);
    expect(story.tell(registered)).toEqual([]);
    expect(story.state.stage).toBe('Registered');
  });

  it('is unregistered and goes on answering when it is held again, and comes back when that is taken back', () => {
    const story = up();
    story.tell(held(false), registered);
    story.wait(limits.retry);
    expect(story.tell(held(true))).toEqual(['unregister']);
    expect(story.state.stage).toBe('Unregistering');
    expect(story.tell({ type: 'unregistered' })).toEqual([]);
    expect([story.state.stage, story.state.ready]).toEqual(['Held', true]);
    expect(story.tell(held(false))).toEqual(['register 1500']);
  });

  it('says that nobody told whether it is held', () => {
    const story = up();
    story.wait(limits.notice);
    expect(story.problem).toBe('ZOOKEEPER_ERROR');
  });

  it('stays what its mode says', () => {
    const story = new Story(newPod, 'shadow', asked);
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected, held(false), looked('a', 1500));
    expect([story.state.stage, story.state.ready]).toEqual(['Shadow', true]);
    story.tell(held(true));
    expect(story.state.stage).toBe('Shadow');
    expect(story.tell(inMode('active'))).toEqual([]);
    expect(story.state.stage).toBe('Held');
  });
});

describe('a warm-up', () => {
  const asked: Asked = { mayBeHeld: false, warmUp: true };
  const answering = () => {
    const story = new Story(newPod, 'active', asked);
    story.tell({ type: 'payload-verified' }, { type: 'gate-opened' }, connected);
    expect(story.tell(looked('a', 1500))).toEqual(['warm-up']);
    expect(story.state.stage).toBe('WarmingUp');
    return story;
  };

  it('has to succeed before the instance is registered, and only once in a start', () => {
    const story = answering();
    expect(story.tell(looked('a', 1500))).toEqual([]);
    expect(story.tell({ type: 'warmed-up', mark: 'a' })).toEqual(['register 1500']);
    expect(story.tell(registered)).toEqual(['ready']);
    story.wait(limits.retry);
    expect(story.tell(looked('a', 1500, 'none'), looked('a', 1500))).toEqual([]);
  });

  it('is repeated, and says what is wrong', () => {
    const story = answering();
    expect(story.tell({ type: 'warm-up-failed', mark: 'a', problem })).toEqual([]);
    expect(story.problem).toBe(problem.code);
    expect(story.wait(limits.retry)).toEqual(['warm-up']);
    expect(story.tell({ type: 'warmed-up', mark: 'a' })).toEqual(['register 1500']);
    expect(story.problem).toBeUndefined();
  });

  it('that never succeeds ends in a restart, and then begins anew', () => {
    const story = answering();
    story.tell({ type: 'warm-up-failed', mark: 'a', problem });
    for (let second = 0; second < limits.startup / limits.retry; second += 1) {
      story.wait(limits.retry);
      story.tell({ type: 'warm-up-failed', mark: 'a', problem });
    }
    expect(story.actions.map(shortened)).toContain(`restart a: ${problem.code}`);
    expect(story.live).toBe(false);
    expect(story.tell(looked('b', 1500))).toEqual(['warm-up']);
    // Why it had to be restarted is told until it is up.
    expect([story.live, story.problem]).toEqual([true, problem.code]);
  });

  it('of an earlier start says nothing of the present one', () => {
    const story = answering();
    expect(story.tell(looked('b', 1500))).toEqual([]);
    expect(story.tell({ type: 'warmed-up', mark: 'a' })).toEqual(['warm-up']);
    expect(story.tell({ type: 'warmed-up', mark: 'b' })).toEqual(['register 1500']);
  });

  it('need not be repeated by an agent that comes after the one that saw it succeed', () => {
    const story = new Story({ ...newPod, gateOpen: true, readyMark: 'a' }, 'active', asked);
    story.tell({ type: 'gate-opened' }, connected);
    expect(story.tell(looked('a', 1500))).toEqual(['register 1500']);
  });
});

describe('whatever happens', () => {
  const answer = fc.constantFrom<Answer>('answers', 'answers', 'answers', 'none', 'loopback-only', 'unhealthy');
  const event: fc.Arbitrary<Event> = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(1500, 1501), answer).map((all) => looked(...all)),
    },
    { weight: 2, arbitrary: fc.constantFrom(looked('a'), looked('b'), halfWritten) },
    { weight: 6, arbitrary: fc.constantFrom<Event>({ type: 'payload-verified' }, { type: 'gate-opened' }, connected) },
    { weight: 6, arbitrary: fc.constantFrom<Event>(registered, { type: 'register-failed', problem }) },
    { weight: 3, arbitrary: fc.constantFrom<Event>({ type: 'unregistered' }, { type: 'unregister-failed', problem }) },
    { weight: 2, arbitrary: fc.constantFrom<Event>(suspended, { type: 'expired' }, { type: 'disturbed' }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Event>({ type: 'payload-lost', problem }, { type: 'payload-trouble', problem }),
    },
    { weight: 1, arbitrary: fc.constantFrom<Event>({ type: 'revoked' }, { type: 'stop' }, { type: 'terminate' }) },
    { weight: 2, arbitrary: fc.constantFrom(inMode('shadow'), inMode('active'), inMode('active'), inMode('drain')) },
    { weight: 3, arbitrary: fc.constantFrom<Event>(held(false), held(false), held(true)) },
    { weight: 4, arbitrary: fc.constantFrom('a', 'b').map((mark): Event => ({ type: 'warmed-up', mark })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('a', 'b').map((mark): Event => ({ type: 'warm-up-failed', mark, problem })),
    },
    { weight: 4, arbitrary: fc.constant<Event>({ type: 'tick' }) },
  );
  const moment = fc.record({ after: fc.constantFrom(0, 10, 100, 1_000, 3_000, 30_000, 600_000), event });
  /** Most of what matters happens to a model that serves. */
  const start: Event[] = [
    { type: 'payload-verified' },
    { type: 'gate-opened' },
    connected,
    inMode('active'),
    held(false),
    looked('a', 1500),
    { type: 'warmed-up', mark: 'a' },
    registered,
  ];
  const asks = fc.record({ mayBeHeld: fc.boolean(), warmUp: fc.boolean() });
  const beginning = fc.constantFrom<Event[]>([], start.slice(0, 3), start, start);
  const remains: fc.Arbitrary<Remains> = fc.constantFrom(
    newPod,
    { ...newPod, gateOpen: true },
    { ...newPod, gateOpen: true, readyMark: 'a' },
    { ...newPod, gateOpen: true, registered: { mark: 'a', endpoint: endpoint(1500) } },
    { ...newPod, gateOpen: true, readyMark: 'b', registered: { mark: 'a', endpoint: endpoint(1500) } },
    { ...newPod, gateOpen: true, readyMark: 'b', stopping: true },
  );

  it('keeps its promises', () => {
    fc.assert(
      fc.property(remains, asks, beginning, fc.array(moment, { maxLength: 60 }), (left, asked, first, moments) => {
        let at = 0;
        let state = initialState(limits, left, 0, asked);
        let isHeld = asked.mayBeHeld ? undefined : false;
        let calling: string | undefined;
        const warm = new Set([left.readyMark ?? left.registered?.mark]);
        let gateOpened = false;
        let verified = left.gateOpen;
        let over = left.stopping;
        let stopped = 0;
        let everRegistered = left.readyMark !== undefined;
        let everReadyUnregistered = false;
        let mode: AgentMode | undefined;
        let inFlight: string | undefined;
        let answering: number | undefined;
        let seen = false;

        const take = (happened: Event) => {
          // The world answers only what it was asked.
          const answersTo = /^(un)?register(ed|-failed)$/.test(happened.type)
            ? happened.type.startsWith('un')
              ? 'unregister'
              : 'register'
            : undefined;
          if (answersTo !== undefined && inFlight !== answersTo) return;
          if (answersTo !== undefined) inFlight = undefined;
          if (happened.type === 'payload-verified' && state.payload.kind === 'fetching') verified = true;
          if (happened.type === 'gate-opened') {
            if (state.gate !== 'opening') return;
            gateOpened = true;
          }
          if (happened.type === 'revoked' || happened.type === 'stop' || happened.type === 'terminate') over = true;
          if (happened.type === 'registered') everRegistered = true;
          if (happened.type === 'mode') mode = happened.mode;
          if (happened.type === 'hold') isHeld = happened.held;
          if (happened.type === 'warmed-up' || happened.type === 'warm-up-failed') {
            if (calling !== happened.mark) return;
            calling = undefined;
            if (happened.type === 'warmed-up') warm.add(happened.mark);
          }
          if (happened.type === 'look' && gateOpened) {
            const { asked, mark } = happened.look;
            seen ||= mark !== undefined;
            answering = asked?.answer === 'answers' ? asked.endpoint.port : undefined;
          }

          const before = state;
          const { state: next, actions } = step(state, happened, at);
          state = next;
          for (const action of actions) {
            if (action.do === 'register' || action.do === 'unregister') {
              expect(inFlight).toBeUndefined();
              inFlight = action.do;
            }
            if (action.do === 'register') {
              const isWarm = !asked.warmUp || warm.has(state.start?.mark);
              expect({ verified, gateOpened, over, mode, isHeld, isWarm, port: action.endpoint.port }).toEqual({
                verified: true,
                gateOpened: true,
                over: false,
                mode: 'active',
                isHeld: false,
                isWarm: true,
                port: answering,
              });
            }
            // What nobody has looked at is unknown, and unknown is no reason to take anything away.
            if (action.do === 'unregister') {
              expect(seen || over || isHeld === true || mode === 'shadow' || mode === 'drain').toBe(true);
            }
            if (action.do === 'warm-up') {
              expect(calling).toBeUndefined();
              calling = action.mark;
            }
            if (action.do === 'open-gate') expect(verified && stopped === 0).toBe(true);
            if (action.do === 'say-stopped') {
              stopped += 1;
              if (action.neverRegistered) expect(everRegistered).toBe(false);
            }
            if (action.do === 'leave') expect(stopped).toBe(1);
          }
          expect(stopped).toBeLessThanOrEqual(1);
          const keptBack = isHeld === true || mode === 'shadow' || mode === 'drain';
          if (state.ready && keptBack) everReadyUnregistered = true;
          if (state.ready) expect((everRegistered || everReadyUnregistered) && !over).toBe(true);
          // What is not to be registered does not stay: it is being taken away, or waits for ZooKeeper or for its turn.
          const settled = state.session === 'connected' && inFlight === undefined && wakeAt(state, at) === undefined;
          if (settled && keptBack) expect(state.mayExist).toBe(false);
          // Readiness follows the model, never ZooKeeper.
          if (before.ready && !state.ready)
            expect(['look', 'tick', 'revoked', 'stop', 'terminate']).toContain(happened.type);
          // What was decided is decided.
          const again = step(state, { type: 'tick' }, at);
          expect(again.actions).toEqual([]);
          expect(again.state).toEqual(state);
        };

        take({ type: 'tick' });
        for (const { after, event: happened } of [...first.map((each) => ({ after: 0, event: each })), ...moments]) {
          const until = at + after;
          for (let due = wakeAt(state, at); due !== undefined && due <= until; due = wakeAt(state, at)) {
            at = due;
            take({ type: 'tick' });
          }
          at = until;
          take(happened);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
