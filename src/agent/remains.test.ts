import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { control as files } from '../contracts/pod-contract.ts';
import { ControlVolume } from './control-volume.ts';
import { findRemains } from './remains.ts';
import { SessionStore } from './session-store.ts';

let root: string;
let control: ControlVolume;
let store: SessionStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'remains-'));
  for (const volume of ['control', 'session']) mkdirSync(join(root, volume));
  control = new ControlVolume(join(root, 'control'));
  store = new SessionStore(join(root, 'session'));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (name: string) => join(root, 'control', name);
/** As an agent leaves them whose model is ready. */
async function leaveReady(digest: string): Promise<void> {
  await store.setVerified(digest);
  writeFileSync(at(files.open), '');
  control.setReady('start-1');
}

describe('findRemains', () => {
  it('finds nothing in a new pod', async () => {
    expect(await findRemains(control, store, 'sha256:aa')).toEqual({
      gateOpen: false,
      stopping: false,
      revoked: false,
    });
  });

  it('finds what an agent before has left', async () => {
    await leaveReady('sha256:aa');
    const endpoint = {
      scheme: 'http',
      port: 1500,
      path: '',
      functions: { apply: 'apply' },
      otherHost: undefined,
    } as const;
    await store.setRegistered('start-1', endpoint);
    await store.setRevoked();
    writeFileSync(at(files.stop), '');
    expect(await findRemains(control, store, 'sha256:aa')).toMatchObject({
      gateOpen: true,
      readyMark: 'start-1',
      registered: { mark: 'start-1', endpoint: { port: 1500 } },
      stopping: true,
      revoked: true,
    });
    expect(existsSync(at(files.open))).toBe(true);
  });

  it('shuts a gate that was opened for other bytes, and takes nothing for ready then', async () => {
    await leaveReady('sha256:aa');
    expect(await findRemains(control, store, 'sha256:bb')).toEqual({
      gateOpen: false,
      stopping: false,
      revoked: false,
    });
    expect([files.open, files.ready].filter((name) => existsSync(at(name)))).toEqual([]);
  });

  it('takes nothing that cannot be read for nothing', async () => {
    mkdirSync(at(files.ready));
    await store.setVerified('sha256:aa');
    writeFileSync(at(files.open), '');
    await expect(findRemains(control, store, 'sha256:aa')).rejects.toThrow(/EISDIR/);
  });
});
