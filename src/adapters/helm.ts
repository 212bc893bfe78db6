/** Helm, as a program. */
import { spawn } from 'node:child_process';
import { MaasError } from '../contracts/errors.ts';

/** With this input and our own output; gives its exit status. @throws MaasError HELM_FAILED */
export function runHelm(program: string, args: readonly string[], input: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
    child.once('error', (cause) =>
      reject(
        new MaasError('HELM_FAILED', `${program} could not be started`, {
          next: 'Install Helm, or name it in the variable HELM; without --apply the command is printed.',
          cause,
        }),
      ),
    );
    child.once('close', (status) => resolve(status ?? 1));
    // It may end before it has read everything; its status says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
