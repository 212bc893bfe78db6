/**
 * What `kubectl maas why` prints of models that are not up, and of one that is, word for word, each made by the real
 * thing. Only what differs from one time to the next has been given a name in capitals.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended } from '../integration/cli-process.ts';
import { pythonModel, script } from './payloads.ts';
import { eventually, type ModelOptions, Stage } from './stage.ts';
import { normalised } from './why-text.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('why');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** The model as applied, and what is printed of it once its state has been seen. */
interface Case {
  readonly files?: Readonly<Record<string, string>>;
  readonly options?: ModelOptions;
  readonly text: string;
}

const start = (payload: string, images = 'on the node already') => `  TIME     made
  TIME TOOK  scheduled  on NODE
  TIME TOOK  images     ${images}
  TIME TOOK  agent
  TIME TOOK  payload    ${payload} verified in TOOK
`;
const head = (name: string, why: string, next: string, payload: string) => `${name} 1.0 is not served: 0 of 1 registered
  why        ${why}
  next       ${next}
  clients    see no instance
  payload    PAYLOADS/${name} as user maas${payload}
`;
const resource = (name: string) => `  resource   NAMESPACE/${name}\n`;
const since = 'for AGE, since TIME: 0 of 1 registered; POD: ';
const noRoom =
  '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
const missing = 'There is nothing at "PAYLOADS/absent" in HDFS. Upload the payload, or correct the path.';
const refusedImage =
  'failed to pull and unpack image "localhost:1/no/such:image": failed to resolve image: failed to do request: Head "https://localhost:1/v2/no/such/manifests/image": dial tcp 127.0.0.1:1: connect: connection refused';

const noClaim = '0/1 nodes are available: persistentvolumeclaim "no-such" not found. not found';
const unixEnds = "Save it with Unix line ends (dos2unix, or the editor's setting LF) and upload it again.";

const cases: Readonly<Record<string, Case>> = {
  absent: {
    text: `${head('absent', `HdfsPathMissing for AGE, since TIME: ${missing}`, 'hdfs dfs -ls PAYLOADS', '')}${resource('absent')}`,
  },
  scriptless: {
    files: { 'model.bin': 'x' },
    text: `scriptless 1.0 is not served: 0 of 1 registered
  why        PayloadNoScript for AGE, since TIME: "PAYLOADS/scriptless" has no *.sh at its top level. Put the model's start script there.
  stalled    it cannot come up by itself
  next       hdfs dfs -ls PAYLOADS/scriptless
  clients    see no instance
  payload    PAYLOADS/scriptless as user maas
${resource('scriptless')}`,
  },
  huge: {
    files: pythonModel('1.0'),
    options: { memory: '900Gi' },
    text: `${head(
      'huge',
      `Unschedulable ${since}${noRoom}`,
      `Lower \`spec.memory\` or \`spec.cpu\`, correct \`spec.scheduling\`, or add a node.
             kubectl get nodes -o custom-columns=NODE:.metadata.name,CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory`,
      '; 2 files, 790 B, DIGEST',
    )}${resource('huge')}
POD: Unschedulable
  TIME     made
  scheduler  (AGE ago) FailedScheduling: ${noRoom}
`,
  },
  image: {
    files: pythonModel('1.0'),
    options: { spec: { image: 'localhost:1/no/such:image' } },
    text: `${head('image', `ImagePullFailed ${since}${refusedImage}. Correct the image, or give imagePullSecrets.`, 'kubectl edit mdl image -n NAMESPACE', '; 2 files, 790 B, DIGEST')}${resource('image')}
POD on NODE: ImagePullFailed
${start('790 B', "the agent's only, on the node already")}  kubelet    (AGE ago) Failed: Failed to pull image "localhost:1/no/such:image": ${refusedImage}
  agent      | ...
`,
  },
  env: {
    files: pythonModel('1.0'),
    options: { spec: { env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'no-such', key: 'k' } } }] } },
    text: `${head(
      'env',
      `SecretMissing ${since}the secret "no-such" does not exist in namespace NAMESPACE (secret "no-such" not found). Make it: kubectl create secret generic no-such -n NAMESPACE --from-file=KEY=FILE`,
      'kubectl create secret generic no-such -n NAMESPACE --from-file=KEY=FILE',
      '; 2 files, 790 B, DIGEST',
    )}${resource('env')}
POD on NODE: SecretMissing
${start('790 B')}  kubelet    (AGE ago) Failed: Error: secret "no-such" not found
  agent      | ...
`,
  },
  ends: {
    files: script('echo loading weights\necho no module named torch >&2\nexit 3'),
    text: `${head(
      'ends',
      `ScriptEnded ${since}the script ended with status 3; its last lines: loading weights | no module named torch. Keep the script running as long as the model serves.`,
      'kubectl maas logs ends -n NAMESPACE --instance POD --previous',
      '; 1 file, 71 B, DIGEST',
    )}${resource('ends')}
POD on NODE: ScriptEnded
${start('71 B')}  TIME TOOK  script     after RESTARTS
  kubelet    (AGE ago) BackOff: Back-off restarting failed container model in pod POD
  script     | loading weights
             | no module named torch
             | maas: the script ended with status 3
  agent      | ...
`,
  },
  deaf: {
    files: script(`echo '{"url": "http://0.0.0.0:18081"}' > endpoint.dat\nexec sleep infinity`),
    text: `${head(
      'deaf',
      `EndpointNotListening ${since}Nothing listens on port 18081. Start the service before or soon after writing the file.`,
      'kubectl maas logs deaf -n NAMESPACE --instance POD',
      '; 1 file, 86 B, DIGEST',
    )}${resource('deaf')}
POD on NODE: EndpointNotListening
${start('86 B')}  TIME TOOK  script
  TIME TOOK  endpoint
  script     (printed nothing)
  agent      | ...
`,
  },
  shy: {
    files: pythonModel('1.0', { host: '127.0.0.1' }),
    text: `${head(
      'shy',
      `EndpointLoopbackOnly ${since}Port PORT listens on 127.0.0.1 only, but clients are told IP. Let the service bind to 0.0.0.0.`,
      'kubectl exec POD -n NAMESPACE -c model -- cat endpoint.dat',
      '; 2 files, 792 B, DIGEST',
    )}${resource('shy')}
POD on NODE: EndpointLoopbackOnly
${start('792 B')}  TIME TOOK  script
  TIME TOOK  endpoint
  script     (printed nothing)
  agent      | ...
`,
  },
  odd: {
    files: script(`echo 'url: http://0.0.0.0:80' > endpoint.dat\nexec sleep infinity`),
    text: `${head(
      'odd',
      `EndpointNotJson ${since}endpoint.dat is not JSON: a value is missing at byte 0. Write {"url": "http://0.0.0.0:PORT"} into it.`,
      'kubectl exec POD -n NAMESPACE -c model -- cat endpoint.dat',
      '; 1 file, 77 B, DIGEST',
    )}${resource('odd')}
POD on NODE: EndpointNotJson
${start('77 B')}  TIME TOOK  script
  script     (printed nothing)
  agent      | ...
`,
  },
  scripts: {
    files: { 'a.sh': 'x', 'b.sh': 'x' },
    text: `scripts 1.0 is not served: 0 of 1 registered
  why        PayloadSeveralScripts for AGE, since TIME: "PAYLOADS/scripts" has 2 *.sh at its top level: "a.sh", "b.sh". Leave one there; move the others to a subdirectory.
  stalled    it cannot come up by itself
  next       hdfs dfs -ls PAYLOADS/scripts
  clients    see no instance
  payload    PAYLOADS/scripts as user maas
${resource('scripts')}`,
  },
  windows: {
    files: { 'run.sh': '#!/bin/bash\r\nexec python server.py\r\n' },
    text: `${head(
      'windows',
      `ScriptNotRunnable ${since}the first line of "run.sh" ends with a carriage return, so it asks for "/bin/bash\\r"; the script ended with status 127 (something that was to be executed was not found); its last lines: ./run.sh: not found. ${unixEnds}`,
      'hdfs dfs -cat PAYLOADS/windows/run.sh | head -n 1 | od -c',
      '; 1 file, 36 B, DIGEST',
    )}${resource('windows')}
POD on NODE: ScriptNotRunnable
${start('36 B')}  TIME TOOK  script     after RESTARTS
  kubelet    (AGE ago) BackOff: Back-off restarting failed container model in pod POD
  script     | maas: 13: ./run.sh: not found
             | maas: SCRIPT_NOT_RUNNABLE: the first line of "run.sh" ends with a carriage return, so it asks for "/bin/bash\\r"; next: ${unixEnds}
             | maas: the script ended with status 127
  agent      | ...
`,
  },
  claim: {
    files: pythonModel('1.0'),
    options: {
      spec: {
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'no-such' } }],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    },
    text: `${head(
      'claim',
      `VolumeMissing ${since}the persistent volume claim "no-such" does not exist in namespace NAMESPACE, or is being deleted (${noClaim}). See what is there with: kubectl get pvc -n NAMESPACE; make it, or correct the name.`,
      'kubectl get pvc -n NAMESPACE',
      '; 2 files, 790 B, DIGEST',
    )}${resource('claim')}
POD: VolumeMissing
  TIME     made
  scheduler  (AGE ago) FailedScheduling: ${noClaim}
`,
  },
  up: {
    files: pythonModel('1.0'),
    text: `up 1.0 is served: 1 of 1 registered
  why        Serving for AGE, since TIME: 1 of 1 registered
  clients    get version 1.0 at URL
  functions  apply=apply
  payload    PAYLOADS/up as user maas; 2 files, 790 B, DIGEST
  resource   NAMESPACE/up

POD on NODE: Registered
${start('790 B')}  TIME TOOK  script
  TIME TOOK  endpoint
  TIME TOOK  listening
  TIME TOOK  registered URL
`,
  },
};

describe.concurrent('why', () => {
  it.each(Object.entries(cases))('tells of %s', async (name, { files, options = {}, text }) => {
    if (files !== undefined) await stage.payload(name, files);
    await stage.apply(name, options);
    let told = '';
    const asExpected = async () => {
      told = normalised(stage, await stage.maas('why', name), name);
      return told === text;
    };
    await eventually(`why tells of ${name}`, asExpected, { withinMs: 60_000 }).catch(() => {});
    expect(told).toBe(text);
  });
});

describe('a model whose second version does not come up', () => {
  it('is left alone while it is paused, restarted, and set back to what served', async () => {
    const spoken = { ...pythonModel('1.0'), 'run.sh': '#!/bin/bash\necho starting\nexec python server.py 1.0\n' };
    const payload = await stage.payload('flow', spoken);
    const broken = await stage.payload('flow-2', script('echo no such luck\nexit 1'));
    await stage.apply('flow', {});
    await stage.serves('flow', 1);
    expect(await stage.maas('logs', 'flow')).toBe('starting\n');
    const podsOf = async () => (await stage.pods('maas.dev/model=flow')).map(({ name }) => name);
    const before = await podsOf();
    const follow = stage.startMaas('logs', 'flow', '-f');
    let followed = '';
    follow.stdout?.on('data', (chunk: Buffer) => {
      followed += String(chunk);
    });
    const interrupted = ended(follow);
    const watch = stage.startMaas('watch', 'flow');
    const cut = new Promise((resolve) => watch.once('exit', resolve));
    // Its reader goes away, as `head` does.
    watch.stdout?.once('data', () => watch.stdout?.destroy());
    await expect(stage.maas('undo', 'flow')).rejects.toThrow(/no other version of it has served/);

    await stage.maas('pause', 'flow', '--wait', '--timeout', '30s');
    expect(await stage.maas('pause', 'flow')).toContain('is paused already');
    expect(await stage.maas('list', '--name', 'flow')).toMatch(/Serving,Paused/);
    expect(await stage.maas('restart', 'flow')).toContain('restarts its instance when it is resumed: it is paused');
    await eventually('the status says what is held back', async () =>
      /held back: the spec changed/.test(JSON.stringify((await stage.show('flow')).status.conditions)),
    );
    expect(await podsOf()).toEqual(before);
    await stage.maas('resume', 'flow', '--wait', '--timeout', '60s');
    const restarted = await podsOf();
    expect([restarted.length, restarted.includes(before[0] ?? '')]).toEqual([1, false]);

    await eventually('new instances are followed', async () => followed.match(/\| starting$/gm)?.length === 2);
    follow.kill('SIGINT');
    expect(await interrupted).toMatchObject({ code: 130, err: '' });
    expect(await cut).toBe(0);

    await stage.k(
      'patch',
      'mdl',
      'flow',
      '--type',
      'merge',
      '-p',
      specPatch({ version: '2.0', payload: { path: broken } }),
    );
    await stage.reasonIs('flow', 'ScriptEnded');
    const told = await stage.maas('why', 'flow');
    expect(told).toContain('flow 2.0 is not served: clients get version 1.0\n');
    expect(told).toContain('| no such luck\n');
    expect(await stage.maas('undo', 'flow', '--wait', '--timeout', '60s')).toContain(
      `set back to revision 1, version 1.0 of ${payload}\n`,
    );
    await expect(stage.maas('undo', 'flow')).rejects.toThrow(/that was done already, to revision 1/);
    expect(await podsOf()).toEqual(restarted);
    const history = (await stage.maas('history', 'flow')).replaceAll(/ {2,}/g, ' ').split('\n');
    expect(history.slice(1, 4).map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      '3 1.0 yes Serving',
      '2 2.0 - Replaced',
      '1 1.0 - Served',
    ]);

    await stage.maas('pause', 'flow');
    await stage.k('delete', 'mdl', 'flow', '--timeout', '60s');
  });
});

function specPatch(spec: object): string {
  return JSON.stringify({ spec });
}
