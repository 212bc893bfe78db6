import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../contracts/error-catalogue.ts';
import { reasonCatalogue } from '../../contracts/reason-catalogue.ts';
import { heardReasonOf, traitsOf } from '../../contracts/reasons.ts';
import { readModel } from '../cluster/model.ts';
import { nextAction, word } from './next-action.ts';

const payload = { path: '/models/dga', script: 'run.sh', files: 1, bytes: 1, digest: 'sha256:aa' };
const model = readModel({
  metadata: { name: 'dga-1.0', namespace: 'fraud', uid: 'u', resourceVersion: '1' },
  spec: { name: 'dga', version: '1.0', memory: '64Mi', payload: { path: '/models/dga' } },
  status: { payload, nameOwner: { namespace: 'dns', name: 'owner' } },
});
const about = { model, pod: 'dga-a', node: 'node-1' };

describe('the next action', () => {
  it('is a command with names in it for whatever an instance or a model may wait for or fail at', () => {
    const reasons = [...Object.keys(reasonCatalogue), ...Object.keys(errorCatalogue).map(heardReasonOf)];
    for (const reason of reasons) {
      const { severity } = traitsOf(reason);
      const { command, says } = nextAction(reason, about);
      if (severity === 'starting' || severity === 'waiting' || severity === 'failing') {
        expect([reason, command]).toEqual([reason, expect.stringMatching(/^(?:kubectl|hdfs) /)]);
      }
      expect([reason, command ?? '']).toEqual([reason, expect.not.stringMatching(/[ /](?:NAME|POD|NODE)\b/)]);
      // What is said beside a command names none in general.
      if (command !== null) expect([reason, says ?? '']).toEqual([reason, expect.not.stringContaining('kubectl')]);
    }
  });

  it.each<[string, string, string | null]>([
    ['HdfsPathMissing', 'hdfs dfs -ls /models', 'Upload the payload, or correct the path.'],
    ['NameOwned', 'kubectl get mdl owner -n dns', 'Choose another name, or remove the owner first.'],
    [
      'OutOfMemory',
      'kubectl maas add --name dga --version 1.0 -n fraud --instances 0 --memory 128Mi',
      'Raise `spec.memory`.',
    ],
    ['NodeNotReady', 'kubectl describe node node-1', null],
    ['ScriptNotRunnable', 'hdfs dfs -cat /models/dga/run.sh | head -n 1 | od -c', null],
    ['WaitingForEndpoint', 'kubectl maas logs dga-1.0 -n fraud --instance dga-a', 'Wait.'],
    ['AgentFailed', 'kubectl maas logs dga-1.0 -n fraud --instance dga-a --agent', null],
    ['EndpointLoopbackOnly', 'kubectl exec dga-a -n fraud -c model -- cat endpoint.dat', null],
    ['MoonTooBright', 'kubectl describe pod dga-a -n fraud', null],
  ])('of %s is %s', (reason, command, says) => {
    expect(nextAction(reason, about)).toMatchObject({ command, ...(says === null ? {} : { says }) });
  });

  it.each<[string, string, string, string | null]>([
    [
      'SecretMissing',
      'Make it: kubectl create secret generic s -n fraud --from-file=KEY=FILE',
      'kubectl create secret generic s -n fraud --from-file=KEY=FILE',
      null,
    ],
    [
      'ConfigMapMissing',
      'See its keys with: kubectl describe configmap c -n fraud; add "k" or correct the name.',
      'kubectl describe configmap c -n fraud',
      null,
    ],
    [
      'VolumeMissing',
      'See what is there with: kubectl get pvc -n fraud; make it, or correct the name.. The node looks again.',
      'kubectl get pvc -n fraud',
      'The node looks again.',
    ],
  ])('of %s is what the status advises', (reason, advice, command, says) => {
    expect(nextAction(reason, { ...about, advice })).toEqual({ command, says });
  });

  it('of a service account that is missing is what the message ends with', () => {
    const said = '0 of 1; it does not exist (not found). Make it: kubectl create serviceaccount sa -n fraud';
    expect(nextAction('ServiceAccountMissing', { ...about, pod: undefined, said }).command).toBe(
      'kubectl create serviceaccount sa -n fraud',
    );
  });

  it('quotes what a shell would take apart', () => {
    expect([word('/models/a b'), word("it's"), word('$(x)'), word('a-1.0')]).toEqual([
      "'/models/a b'",
      "'it'\\''s'",
      "'$(x)'",
      'a-1.0',
    ]);
  });
});
