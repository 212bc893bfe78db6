/** A model and the shield before it, in one process over loopback, and a client that sees what is on the wire. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { MirrorTarget } from '../../src/agent/shield/mirror.ts';
import { Shield, type ShieldedModel } from '../../src/agent/shield/shield.ts';
import type { Timer } from '../../src/agent/shield/timer.ts';
import type { ShieldInstructions } from '../../src/contracts/pod-contract.ts';
import { systemClock } from '../../src/kernel/system-clock.ts';
import { RememberingLog } from './remembering-log.ts';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

export const instructions: ShieldInstructions = {
  ...{ timeLimitMs: 60_000, maxInFlight: 4, maxQueued: 2, queueTimeMs: 60_000, onError: 'NoContent' },
};

/** Nothing is due before a test says so. */
export class ManualTimer implements Timer {
  readonly #due = new Map<() => void, number>();

  after(ms: number, due: () => void): () => void {
    const entry = () => due();
    this.#due.set(entry, ms);
    return () => this.#due.delete(entry);
  }

  /** What was to be waited for. */
  get waits(): number[] {
    return [...this.#due.values()];
  }

  /** All that wait for no longer than this are due. */
  pass(ms: number): void {
    for (const [due, wait] of [...this.#due]) if (wait <= ms && this.#due.delete(due)) due();
  }
}

export interface Shielded extends AsyncDisposable {
  readonly shield: Shield;
  readonly port: number;
  readonly modelPort: number;
  readonly model: Server;
  readonly timer: ManualTimer;
  readonly log: RememberingLog;
  /** What the model was asked. */
  readonly asked: IncomingMessage[];
  /** Tells the shield of the model, with changes. */
  follow(changes?: Partial<ShieldedModel>): void;
}

export async function shielded(
  answering: Answering,
  changes: Partial<ShieldInstructions> = {},
  mirror: { readonly targets: () => readonly MirrorTarget[]; readonly random?: () => number } = { targets: () => [] },
): Promise<Shielded> {
  const asked: IncomingMessage[] = [];
  const model = createServer((request, response) => {
    asked.push(request);
    answering(request, response);
  });
  const modelPort = await listening(model);
  const timer = new ManualTimer();
  const log = new RememberingLog();
  const shield = new Shield({
    instructions: { ...instructions, ...changes },
    model: { name: 'dga', version: '1.0' },
    ...{ podIp: '127.0.0.1', ports: [0], listening: async () => undefined },
    ...{ clock: systemClock, timer, random: Math.random, log, ...mirror },
  });
  const known: ShieldedModel = {
    mark: 'first',
    endpoint: { scheme: 'http', port: modelPort, path: '', functions: { apply: 'apply' }, otherHost: undefined },
    leaving: false,
  };
  shield.follow(known);
  return {
    ...{ shield, port: await shield.port, modelPort, model, timer, log, asked },
    follow: (other = {}) => shield.follow({ ...known, ...other }),
    async [Symbol.asyncDispose]() {
      model.closeAllConnections();
      await shield.close();
      model.closeAllConnections();
      await new Promise((resolve) => model.close(resolve));
    },
  };
}

export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

/** A connection on which a test writes and reads bytes. */
export class Wire {
  readonly socket: Socket;
  #read = '';
  #ended = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (data) => {
      this.#read += data.toString('latin1');
    });
    this.socket.on('close', () => {
      this.#ended = true;
    });
    this.socket.on('error', () => undefined);
  }

  /** As Stellar asks. */
  get(path: string, ...more: readonly string[]): this {
    const lines = [`GET ${path} HTTP/1.1`, 'accept: application/json', 'Host: models.example:8098', ...more];
    this.socket.write(`${lines.join('\r\n')}\r\nConnection: Keep-Alive\r\n\r\n`);
    return this;
  }

  get read(): string {
    return this.#read;
  }

  get ended(): boolean {
    return this.#ended;
  }
}
