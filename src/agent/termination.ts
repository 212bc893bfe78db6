/** The last words of an agent that gives up. */
import type { TerminationMessage } from '../contracts/pod-contract.ts';

/** What Kubernetes keeps of a termination message, in bytes. */
const longest = 4_096;

/** One line of JSON that fits; long messages are cut, so that what to do next is never lost. */
export function terminationText({ code, message, next }: TerminationMessage): string {
  for (let length = Math.min(message.length, longest); ; length = Math.floor(length * 0.9)) {
    const shown = length < message.length ? `${message.slice(0, length)}…` : message;
    const text = JSON.stringify({ code, message: shown, next: next.slice(0, 500) });
    if (Buffer.byteLength(text) <= longest || length === 0) return text;
  }
}
