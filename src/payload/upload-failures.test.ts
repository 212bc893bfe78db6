/** Whatever HDFS answers, and wherever in an upload: the failure has a name, and says what was asked of whom. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeWebHdfs, remote } from '../../test/builders/fake-webhdfs.ts';
import { impatientHdfs } from '../../test/builders/impatient-hdfs.ts';
import { asMaasError } from '../contracts/errors.ts';
import { uploadPayload } from './upload.ts';
import { uploadOver } from './upload-over.ts';

const local = mkdtempSync(join(tmpdir(), 'upload-failures-'));
let fake: FakeWebHdfs;
beforeAll(async () => {
  writeFileSync(join(local, 'run.sh'), '#!/bin/sh\n');
  writeFileSync(join(local, 'model.bin'), 'weights');
  fake = await FakeWebHdfs.start();
});
afterAll(async () => {
  await fake.stop();
  rmSync(local, { recursive: true });
});

const exception = (status: number, name: string, message: string) => (response: http.ServerResponse) =>
  remote(response, status, name, message);
const body = (status: number, text: string, type: string) => (response: http.ServerResponse) =>
  void response.writeHead(status, { 'content-type': type }).end(text);

const answers: readonly (readonly [string, (response: http.ServerResponse) => void])[] = [
  ['a refused user', exception(403, 'AccessControlException', 'Permission denied: user=me, access=WRITE')],
  ['a name quota', exception(403, 'NSQuotaExceededException', 'The NameSpace quota of /user/me is exceeded')],
  ['full disks', exception(403, 'IOException', 'File could only be written to 0 of the 1 minReplication nodes')],
  ['safe mode', exception(403, 'SafeModeException', 'Name node is in safe mode')],
  ['a standby', exception(403, 'StandbyException', 'Operation category WRITE is not supported in state standby')],
  ["another writer's lease", exception(403, 'AlreadyBeingCreatedException', 'already being created by DFSClient')],
  ['a lost lease', exception(404, 'LeaseExpiredException', 'No lease on the file')],
  ['an expired token', exception(403, 'InvalidToken', "token can't be found in cache")],
  ['a name that is too long', exception(403, 'PathComponentTooLongException', 'The maximum path component name limit')],
  ['an exception nobody knows', exception(500, 'RuntimeException', 'x')],
  ['an exception without words', exception(500, 'NullPointerException', '')],
  ['an error page', body(500, '<html><title>Oops</title></html>', 'text/html')],
  ['a proxy', body(502, 'Bad Gateway', 'text/plain')],
  ['another server', body(404, 'Not Found', 'text/plain')],
  ['a wrong success', body(200, '<html>welcome</html>', 'text/html')],
  ['JSON of another kind', body(200, '[1, 2]', 'application/json')],
  ['half of it', body(200, '{"FileStatus":', 'application/json')],
  ['false', body(200, '{"boolean": false}', 'application/json')],
  ['a redirect to nowhere', (response) => void response.writeHead(307).end()],
  ['a redirect to nonsense', (response) => void response.writeHead(307, { location: 'http://[::' }).end()],
  ['no answer but an end', (response) => void response.destroy()],
];
const moments = [
  ['GETFILESTATUS', 'nn1'],
  ['LISTSTATUS_BATCH', 'nn1'],
  ['MKDIRS', 'nn1'],
  ['CREATE', 'nn1'],
  ['CREATE', 'dn'],
  ['GETFILECHECKSUM', 'nn1'],
  ['GETFILECHECKSUM', 'dn'],
  ['RENAME', 'nn1'],
] as const;
const ways = { uploadPayload, uploadOver };

describe.each(moments)('%s at %s', (asked, at) => {
  it.each(answers)('answered with %s', async (_what, answer) => {
    for (const [name, upload] of Object.entries(ways)) {
      fake.files.clear();
      fake.directories.clear();
      fake.makeDirectories('/user/me');
      // Something to look at before the upload.
      fake.put('/user/me/dga/other.bin', 'x');
      const target = name === 'uploadOver' ? '/user/me/dga' : '/user/me/new';
      let answered = false;
      fake.intercept = ({ op, node }, response) => {
        if (op !== asked || !node.startsWith(at)) return false;
        answered = true;
        answer(response);
        return true;
      };
      const options = { now: () => fake.now, id: 'id' };
      const error = await upload(impatientHdfs(fake), local, target, options).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // One of the two does not ask this, and some answers are taken for what they say.
      if (!answered || error === undefined) continue;
      const { code, message } = asMaasError(error);
      expect([name, code]).toEqual([name, expect.stringMatching(/^HDFS_/)]);
      expect(message).toMatch(/\/user\/me|HDFS|WebHDFS/);
    }
  });
});
