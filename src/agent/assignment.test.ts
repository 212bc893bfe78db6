import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aPayload } from '../../test/builders/model-deployment.ts';
import { agentPort } from '../contracts/agent-http.ts';
import {
  agentInstructionsVariable,
  hostNetworkPorts,
  packedPayloadFile,
  paths,
  pinnedPayloadFile,
} from '../contracts/pod-contract.ts';
import { readAssignment } from './assignment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'assignment-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const instructions = {
  model: 'dga',
  version: '1.0',
  clusterId: 'c1',
  zookeeper: { quorum: 'zk:2181' },
  hdfs: { nameservices: { local: { webhdfs: ['http://nn:9870'] } } },
  advertise: 'PodIP',
  startupTimeoutMs: 60_000,
  unregisterTimeoutMs: 500,
  hostNetwork: false,
};

function environment(changes: Readonly<Record<string, string | undefined>> = {}, instructed: object = {}) {
  return {
    [agentInstructionsVariable]: JSON.stringify({ ...instructions, ...instructed }),
    POD_NAME: 'dga-1',
    POD_UID: 'u1',
    POD_NAMESPACE: 'fraud',
    POD_IP: '10.0.0.7',
    NODE_IP: '192.168.0.1',
    NODE_NAME: 'node7',
    ...changes,
  };
}

function pin(name: string, content: string | Uint8Array): void {
  const path = join(root, paths.pinned, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** What is given, or the code and the message of the refusal. */
const read = (given: Readonly<Record<string, string | undefined>>) =>
  readAssignment(given, root).catch((error) => `${error.code}: ${error.message}`);

describe('readAssignment', () => {
  it('joins what the pod says of itself with what lies in its volume', async () => {
    pin(pinnedPayloadFile, JSON.stringify(aPayload()));
    expect(await readAssignment(environment(), root)).toMatchObject({
      instructions: { model: 'dga', zookeeper: { quorum: 'zk:2181' } },
      pod: {
        name: 'dga-1',
        uid: 'u1',
        namespace: 'fraud',
        ip: '10.0.0.7',
        nodeIp: '192.168.0.1',
        nodeName: 'node7',
      },
      pinned: aPayload(),
      directories: {
        payload: join(root, paths.payload),
        control: join(root, paths.control),
        session: join(root, paths.session),
      },
      ports: [agentPort],
    });
  });

  it("listens elsewhere on the node's network, where other agents are", async () => {
    pin(pinnedPayloadFile, JSON.stringify(aPayload()));
    const { ports } = await readAssignment(environment({}, { hostNetwork: true }), root);
    expect(ports).toEqual(hostNetworkPorts('u1'));
  });

  it('reads a long list, which is compressed', async () => {
    pin(packedPayloadFile, gzipSync(JSON.stringify(aPayload())));
    expect((await readAssignment(environment(), root)).pinned).toEqual(aPayload());
  });

  it('takes the payload that the pod is to run, and whatever there is where nobody said which', async () => {
    pin(pinnedPayloadFile, JSON.stringify(aPayload({ digest: 'sha256:aa' })));
    expect(await read(environment({}, { payloadDigest: 'sha256:aa' }))).toMatchObject({ pinned: aPayload() });
    expect(await read(environment())).toMatchObject({ pinned: aPayload() });
  });

  it('refuses another one, and says which of the two is which', async () => {
    pin(pinnedPayloadFile, JSON.stringify(aPayload({ digest: 'sha256:aa' })));
    expect(await read(environment({}, { payloadDigest: 'sha256:bb' }))).toMatch(
      /^PAYLOAD_PIN_MISMATCH: .*sha256:bb.*sha256:aa/,
    );
  });

  it.each([agentInstructionsVariable, 'POD_NAME', 'POD_UID', 'POD_NAMESPACE', 'POD_IP', 'NODE_IP', 'NODE_NAME'])(
    'names the variable %s where it is missing or empty',
    async (name) => {
      pin(pinnedPayloadFile, JSON.stringify(aPayload()));
      const refused = `SETTINGS_INVALID: The environment variable ${name} is missing`;
      expect(await read(environment({ [name]: undefined }))).toBe(refused);
      expect(await read(environment({ [name]: '' }))).toBe(refused);
    },
  );

  it('says what it cannot use', async () => {
    expect(await read(environment({ [agentInstructionsVariable]: '{' }))).toMatch(
      /^SETTINGS_INVALID: MAAS_AGENT cannot be used/,
    );
    const path = join(root, paths.pinned, pinnedPayloadFile);
    expect(await read(environment())).toBe(`SETTINGS_INVALID: The pinned payload ${path} cannot be read`);
    pin(packedPayloadFile, 'not gzip');
    expect(await read(environment())).toBe(`SETTINGS_INVALID: The pinned payload ${path} cannot be read`);
    pin(pinnedPayloadFile, '{"path": 1}');
    expect(await read(environment())).toContain(`SETTINGS_INVALID: ${path} cannot be used: `);
  });
});
