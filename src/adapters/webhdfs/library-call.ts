/**
 * The small calls that the `webhdfs` package offers, through that package. Only its building and sending of requests
 * is used. Its verdicts are not: it takes 409, 429, 502, 503 and 504 for success, does not look at the boolean in the
 * body, throws out of an event handler when the body is not an object, and keeps nothing of an error but a message.
 * So its own listeners are removed from the request that each call returns, and status and body are judged here.
 *
 * The package costs 18 MB of resident memory, so the agent, which needs none of these calls, does not import this file.
 */

import webhdfs, { type LibraryClient, type LibraryRequest } from 'webhdfs';
import { MaasError } from '../../contracts/errors.ts';
import { encodeHdfsPath } from '../../contracts/hdfs-path.ts';
import { withoutBrackets } from '../../kernel/bare-address.ts';
import { messageOf } from '../../kernel/message-of.ts';
import { HttpFailure } from '../http/failure.ts';
import { acceptJson, describeOperation, type Operation, refused, unreachable } from './name-node-call.ts';
import type { Attempt } from './name-nodes.ts';
import type { Nameservice } from './nameservice.ts';
import type { Credentials, Parameters } from './web-address.ts';

const maxBodyBytes = 32 * 1024 * 1024;

/** Like callForJson, for the operations GETFILESTATUS, LISTSTATUS, MKDIRS, RENAME and DELETE. */
export async function callThroughLibrary(
  nameservice: Nameservice,
  attempt: Attempt,
  operation: Operation,
  credentials: Credentials,
  signal?: AbortSignal,
): Promise<unknown> {
  const what = describeOperation(operation, attempt.base);
  const { status, body } = await send(nameservice, attempt.base, operation, credentials, signal).catch((error) => {
    throw unreachable(error, what, credentials);
  });
  if (status >= 400) throw refused(status, body, what, credentials);
  return acceptJson(status, body === '' ? undefined : body, what);
}

function send(
  nameservice: Nameservice,
  base: URL,
  operation: Operation,
  credentials: Credentials,
  signal: AbortSignal | undefined,
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const request = start(nameservice, base, operation, credentials);
    request.removeAllListeners('complete').removeAllListeners('error');

    const { connectMs, firstByteMs, stallMs } = nameservice.deadlines;
    const limit = connectMs + firstByteMs + stallMs;
    const give = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      act();
    };
    const stop = (error: unknown) => {
      give(() => reject(error));
      request.abort();
    };
    const abort = () => stop(signal?.reason);
    const timer = setTimeout(() => stop(new HttpFailure(`no answer within ${limit / 1000} s`, true)), limit);
    signal?.addEventListener('abort', abort, { once: true });

    let received = 0;
    request.on('data', (chunk) => {
      received += chunk.length;
      if (received > maxBodyBytes) stop(new HttpFailure(`the answer is larger than ${maxBodyBytes} bytes`, true));
    });
    // Stays to the end: an aborted request may emit an error late, and one without a listener ends the process.
    request.on('error', (error) =>
      give(() => reject(new HttpFailure(messageOf(error), !isRefusedConnection(error), { cause: error }))),
    );
    request.on('complete', (response, body) => {
      if (!response.complete) give(() => reject(new HttpFailure('the answer ended too early', true)));
      else give(() => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
}

/** Never called, but without it the package takes the argument before it for the callback, and its default for that. */
const nobody = () => {};

function start(nameservice: Nameservice, base: URL, operation: Operation, credentials: Credentials): LibraryRequest {
  const { op, parameters = {} } = operation;
  // The package joins the path to the URL as it is.
  const path = encodeHdfsPath(operation.path);
  const client = clientOf(nameservice, base, operation, credentials);
  switch (op) {
    case 'GETFILESTATUS':
      return client.stat(path, nobody);
    case 'LISTSTATUS':
      return client.readdir(path, nobody);
    case 'MKDIRS':
      return client.mkdir(path, parameters['permission'] ?? '755', nobody);
    case 'RENAME':
      return client.rename(path, parameters['destination'] ?? '', nobody);
    case 'DELETE':
      return client.unlink(path, parameters['recursive'] === 'true', nobody);
    default:
      throw new MaasError('INTERNAL', `The webhdfs package has no ${op}`);
  }
}

function clientOf(nameservice: Nameservice, base: URL, operation: Operation, credentials: Credentials): LibraryClient {
  const secure = base.protocol === 'https:';
  const options = {
    protocol: secure ? 'https' : 'http',
    // The package puts the brackets of an IPv6 address itself.
    host: withoutBrackets(base.hostname),
    port: base.port || (secure ? '443' : '80'),
    path: base.pathname.replace(/\/+$/, ''),
  };
  return webhdfs.createClient(credentials.token === undefined ? { ...options, user: credentials.user } : options, {
    // Its calls take no other parameters, so those come in by way of the request's own query.
    qs: {
      ...extraParameters(operation.parameters),
      ...(credentials.token === undefined ? {} : { delegation: credentials.token }),
    },
    agent: nameservice.connections.agentFor(base),
    timeout: nameservice.deadlines.firstByteMs,
    followRedirect: false,
    // Otherwise it would obey HTTP_PROXY, which nothing else here does.
    proxy: false,
  });
}

function extraParameters(parameters: Parameters = {}): Record<string, string> {
  const own = new Set(['permission', 'destination', 'recursive']);
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) =>
      value === undefined || own.has(name) ? [] : [[name, value]],
    ),
  );
}

/** Was there never a connection? Then the name node cannot have acted. */
function isRefusedConnection(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EHOSTUNREACH' ||
    ('connect' in error && error.connect === true)
  );
}
