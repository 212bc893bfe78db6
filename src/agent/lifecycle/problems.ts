/** What is wrong, in words for people; and whether it is so bad that the model has to be restarted. */
import { formatDuration } from '../../contracts/duration.ts';
import { MaasError } from '../../contracts/errors.ts';
import { type EndpointFile, portOf } from '../../wire/endpoint-file.ts';
import { deadlines, isDue } from './deadlines.ts';
import type { Binding, Look, Problem } from './events.ts';
import { isKeptBack, isWarm, type State } from './state.ts';

export function problemOf(error: MaasError): Problem {
  return { code: error.code, message: error.message, next: error.next };
}

/** What hinders clients, as far as a look at the model shows it. */
export function troubleOf({ reading, asked }: Look, endpoint: EndpointFile | undefined): Problem | undefined {
  const answer = asked?.answer;
  if (reading.kind === 'unusable') return problemOf(reading.problem);
  if (answer === undefined || answer === 'answers' || endpoint === undefined) return undefined;
  const port = portOf(endpoint);
  switch (answer) {
    case 'none':
      return problemOf(new MaasError('ENDPOINT_NOT_LISTENING', `Nothing listens on port ${port}`));
    case 'elsewhere':
      return unreachable('ENDPOINT_NOT_REACHABLE', port, asked?.binding);
    case 'loopback-only':
      return unreachable('ENDPOINT_LOOPBACK_ONLY', port, asked?.binding);
    case 'unhealthy':
      return problemOf(new MaasError('ENDPOINT_UNHEALTHY', `The health check of the model on port ${port} fails`));
  }
}

function unreachable(
  code: 'ENDPOINT_NOT_REACHABLE' | 'ENDPOINT_LOOPBACK_ONLY',
  port: number,
  binding: Binding | undefined,
): Problem {
  // It may have closed the port between two looks at it.
  if (binding === undefined || binding.found.length === 0) {
    return problemOf(new MaasError(code, `Clients cannot reach port ${port}`));
  }
  const { found, told, advice } = binding;
  // On `::` it seems to listen everywhere, so what is missing is said.
  const only = found.includes('::') ? ':: for IPv6 only' : `${found.join(' and ')} only`;
  return problemOf(
    new MaasError(code, `Port ${port} listens on ${only}, but clients are told ${told}`, {
      next: `Let the service bind to ${advice}.`,
    }),
  );
}

/** Why the model is to be restarted; undefined where it is not. */
export function restartVerdict(state: State, at: number): Problem | undefined {
  if (!isDue(deadlines(state).restart, at)) return undefined;
  if (state.trouble !== undefined) return state.trouble.problem;
  if (state.warmUp?.failed !== undefined && !isWarm(state)) return state.warmUp.failed.problem;
  if (state.serving !== undefined) {
    return problemOf(new MaasError('ENDPOINT_NOT_LISTENING', 'The model stopped answering'));
  }
  const time = formatDuration(state.limits.startup);
  return problemOf(new MaasError('ENDPOINT_MISSING', `endpoint.dat did not appear within ${time}`));
}

/** False while the model is to be restarted. */
export function modelIsLive(state: State, at: number): boolean {
  return restartVerdict(state, at) === undefined;
}

/** What is wrong just now, if anything. Trouble that may be gone in a moment is told only when it has lasted. */
export function currentProblem(state: State, at: number): Problem | undefined {
  if (state.payload.kind !== 'verified') return state.payload.problem;
  if (state.revoked) {
    return problemOf(
      new MaasError(
        'REGISTRATION_REVOKED',
        'The operator took the registration away and lets nothing new be registered',
      ),
    );
  }
  const verdict = restartVerdict(state, at);
  if (verdict !== undefined) return verdict;
  if (state.serving?.kind !== 'answers') return silentProblem(state, at);
  if (state.stop !== undefined) return undefined;
  if (!isWarm(state)) return state.warmUp?.failed?.problem ?? state.verdict;
  return isKeptBack(state) ? unregisteringProblem(state, at) : registeringProblem(state, at);
}

function silentProblem({ trouble, verdict, limits }: State, at: number): Problem | undefined {
  return trouble !== undefined && at >= trouble.since + limits.notice ? trouble.problem : verdict;
}

function registeringProblem(state: State, at: number): Problem | undefined {
  if (state.registration.kind === 'held') return undefined;
  if (state.registration.kind === 'none' && state.registration.failed?.of === 'register') {
    return state.registration.failed.problem;
  }
  if (at < state.stageAt + state.limits.notice) return undefined;
  if (state.session !== 'connected') {
    return problemOf(
      new MaasError('ZOOKEEPER_UNREACHABLE', 'The model answers, but there is no ZooKeeper session to register it in'),
    );
  }
  if (state.mode !== undefined && state.held !== undefined) return undefined;
  const unread = state.mode === undefined ? 'its mode' : 'whether it is held';
  return problemOf(
    new MaasError('ZOOKEEPER_ERROR', `The model answers, but ${unread} cannot be read, so it is not registered`, {
      next: 'Check the ACLs of the znodes below operatorRoot.',
    }),
  );
}

function unregisteringProblem(state: State, at: number): Problem | undefined {
  if (!state.mayExist) return undefined;
  if (state.registration.kind === 'none' && state.registration.failed?.of === 'unregister') {
    return state.registration.failed.problem;
  }
  if (state.session === 'connected' || at < state.stageAt + state.limits.notice) return undefined;
  return problemOf(
    new MaasError(
      'ZOOKEEPER_UNREACHABLE',
      'It is not to be registered any more, but there is no ZooKeeper session to say so',
    ),
  );
}
