/** The part of the `webhdfs` package that is used; it has no types of its own. */
declare module 'webhdfs' {
  import type { IncomingMessage } from 'node:http';

  /** The request that each call returns, before it is sent. */
  export interface LibraryRequest {
    on(event: 'complete', listener: (response: IncomingMessage, body: unknown) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'data', listener: (chunk: Buffer | string) => void): this;
    removeAllListeners(event: 'complete' | 'error'): this;
    abort(): void;
  }

  export interface LibraryClient {
    stat(path: string, callback: () => void): LibraryRequest;
    readdir(path: string, callback: () => void): LibraryRequest;
    mkdir(path: string, mode: string, callback: () => void): LibraryRequest;
    rename(path: string, destination: string, callback: () => void): LibraryRequest;
    unlink(path: string, recursive: boolean, callback: () => void): LibraryRequest;
  }

  const library: {
    createClient(
      options: { protocol: string; host: string; port: string; path: string; user?: string },
      requestParameters: Record<string, unknown>,
    ): LibraryClient;
  };
  export default library;
}
