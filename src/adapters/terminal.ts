/** Standard output and standard error: is a person looking, and what can be shown. */

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** 0 of a terminal that does not say its size. */
  readonly columns?: number;
  readonly rows?: number;
}

export function terminalOutput(stream: Stream, env: NodeJS.ProcessEnv) {
  const terminal = stream.isTTY === true && env['TERM'] !== 'dumb';
  return {
    write(text: string): void {
      stream.write(text);
    },
    terminal,
    colour: terminal && !env['NO_COLOR'],
    /** Looked at each time: a window may change its size. */
    get width() {
      return stream.columns || 80;
    },
    get height() {
      return stream.rows || 24;
    },
  };
}
