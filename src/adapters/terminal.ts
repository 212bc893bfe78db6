/** Standard output and standard error: is a person looking, and what can be shown. */

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** 0 of a terminal that does not say its size. */
  readonly columns?: number;
}

export function terminalOutput(stream: Stream, env: NodeJS.ProcessEnv) {
  const terminal = stream.isTTY === true && env['TERM'] !== 'dumb';
  return {
    write(text: string): void {
      stream.write(text);
    },
    terminal,
    colour: terminal && !env['NO_COLOR'],
    width: stream.columns || 80,
  };
}
