/**
 * Does a socket that listens on `::` take IPv4 connections as well? It does unless it was told otherwise (IPV6_V6ONLY),
 * which the kernel's tables do not show. So the kernel is asked for the same port on an IPv4 address, which it refuses
 * where that port is taken. Nothing is sent to whoever listens, because some models serve one connection at a time.
 */
import { connect } from 'node:net';

/** Nobody is expected there; what comes of it does not matter, because it is reached only where the port was free. */
const nowhere = { host: '127.0.0.1', port: 9 };

/**
 * Is the port taken for IPv4 on this address, by a socket that listens on `::`? What cannot be found out (the address is
 * not this machine's, the port needs privileges) counts as yes.
 *
 * @param address IPv4, one on which nothing listens according to the kernel's IPv4 table
 */
export function takesIpv4(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // No server that listens for a moment: clients could reach it.
    const socket = connect({ ...nowhere, localAddress: address, localPort: port });
    const end = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => end(false));
    socket.once('error', ({ syscall }: NodeJS.ErrnoException) => end(syscall === 'bind'));
  });
}
