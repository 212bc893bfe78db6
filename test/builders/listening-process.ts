/** A process that listens on a port, because what this process has is nobody's model. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ListeningProcess extends AsyncDisposable {
  readonly port: number;
  /** Kills it; nobody listens there after that. */
  end(): Promise<void>;
}

/** @param port 0 takes a free one */
export async function listenElsewhere(host: string, port = 0): Promise<ListeningProcess> {
  const program = `const s = require('net').createServer().listen(${port}, '${host}', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { port: Number(said), end, [Symbol.asyncDispose]: end };
}
