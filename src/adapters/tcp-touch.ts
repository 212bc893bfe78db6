/** Is there anybody at an address? Connects, sends nothing, and hangs up. */
import { connect } from 'node:net';
import { messageOf } from '../kernel/message-of.ts';

/** `refused`: somebody answered that nothing listens there. `unresolved`: the name has no address. */
export type Touch =
  | { readonly outcome: 'connected' }
  | { readonly outcome: 'refused' | 'unreachable' | 'unresolved'; readonly problem: string };

/** Never throws. */
export function touchTcp(host: string, port: number, timeoutMs: number): Promise<Touch> {
  return new Promise((resolve) => {
    const end = (touch: Touch) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(touch);
    };
    // Not the socket's own timeout, which does not cover the look-up of the name.
    const timer = setTimeout(
      () => end({ outcome: 'unreachable', problem: `no connection within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const socket = connect({ host, port });
    socket.once('connect', () => end({ outcome: 'connected' }));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ outcome: outcomeOf(error), problem: messageOf(error) }),
    );
  });
}

function outcomeOf({ code, syscall }: NodeJS.ErrnoException): 'refused' | 'unreachable' | 'unresolved' {
  if (syscall === 'getaddrinfo') return 'unresolved';
  return code === 'ECONNREFUSED' ? 'refused' : 'unreachable';
}
