/**
 * `make demo`: one model, end to end, as a user would do it. Brings up the world, installs the operator, uploads and
 * deploys two models, calls them as Stellar and as a person with curl would, scales one, removes the other, and leaves
 * the first running with the commands to go on by hand. Done again, it starts over with the models only.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { standInJar } from '../../test/integration/java.ts';
import { bringUp } from './bring-up.ts';
import { localState, projectRoot } from './cache.ts';
import { callFromOutside, stellarFromOutside } from './demo-client.ts';
import {
  type Command,
  commandsFor,
  installOperator,
  modelNamespace,
  operatorNamespace,
  removeModels,
} from './demo-operator.ts';
import { needJava } from './maven.ts';
import { program, step } from './steps.ts';
import { readWorld, type World } from './world.ts';

const inNamespace = ['--namespace', modelNamespace];
const samples = join(projectRoot, 'deploy/samples');

interface Listed {
  readonly resource: string;
  readonly model: string;
  readonly endpoints: readonly { readonly url: string | null; readonly registered: boolean }[];
}

await program(async () => {
  await bringUp();
  await step('Stand-in for Stellar', async () => {
    await needJava();
    await standInJar();
  });
  const world = readWorld();
  const commands = commandsFor(world);
  try {
    await installOperator(world, commands);
    await step('Start from nothing', () => removeModels(commands.kubectl));
    await walkThrough(world, commands.kubectl);
  } catch (error) {
    await keepEvidence(commands.kubectl);
    throw error;
  }
  goOnByHand(world);
});

async function walkThrough(world: World, kubectl: Command): Promise<void> {
  await step('Upload and deploy echo', async () => {
    await kubectl(add('echo', ['--memory', '64', '--cpu', '50m']));
  });
  await step('Upload and deploy dga, twice', async () => {
    await kubectl(add('dga', ['--memory', '256', '--cpu', '100m', '--instances', '2']));
  });
  await shown('What runs', () => kubectl(['maas', 'list', ...inNamespace, '--output', 'wide']));

  await shown('Stellar calls dga', async () => {
    const legit = await stellarFromOutside(world, ['--model', 'dga', 'host=yahoo.com']);
    const other = await stellarFromOutside(world, ['--model', 'dga', 'host=xkqjzvbw.example']);
    expect(legit, '"is_malicious":"legit"');
    expect(other, '"is_malicious":"malicious"');
    return `${legit.trim()}\n${other.trim()}`;
  });
  await shown('Stellar calls echo', async () => {
    const answer = await stellarFromOutside(world, ['--model', 'echo', 'word=foobar']);
    expect(answer, '"word":"foobar"');
    return answer;
  });
  await shown('curl calls both', async () => {
    const models = await listed(kubectl);
    const dga = await callFromOutside(world, `${base(urlOf(models, 'dga'))}/apply?host=amazon.com`);
    expect(dga, 'legit');
    const echo = await callFromOutside(world, `${base(urlOf(models, 'echo'))}/echo/foobar`);
    expect(echo, 'foobar');
    return `${dga.trim()}\n${echo.trim()}`;
  });

  await step('Scale dga to three', async (say) => {
    const resource = (await listed(kubectl)).find((each) => each.model === 'dga')?.resource ?? 'dga';
    await kubectl(['scale', `modeldeployment/${resource}`, '--replicas', '3', ...inNamespace]);
    const condition = '--for=jsonpath={.status.registered}=3';
    await kubectl(['wait', `modeldeployment/${resource}`, condition, ...inNamespace, '--timeout', '2m']);
    say(`kubectl scale modeldeployment/${resource} --replicas 3`);
  });
  const removed = urlOf(await listed(kubectl), 'echo');
  await step('Remove echo', async () => {
    const which = ['--name', 'echo', '--version', '1.0', ...inNamespace];
    await kubectl(['maas', 'remove', ...which, '--wait', '--timeout', '1m']);
  });
  await shown('Its registration is gone', async () => {
    const seen = await stellarFromOutside(world, [], 'legacy-list');
    if (seen.includes(`@ ${removed} `)) throw new Error(`clients still see ${removed}:\n${seen}`);
    for (const { url } of (await listed(kubectl)).flatMap((model) => model.endpoints)) {
      if (!seen.includes(`@ ${url} `)) throw new Error(`clients do not see ${url}:\n${seen}`);
    }
    return seen;
  });
}

function add(model: string, options: readonly string[]): string[] {
  return [
    ...['maas', 'add', '--name', model, '--version', '1.0', ...inNamespace],
    ...['--local-model-path', join(samples, model), '--wait', '--timeout', '3m'],
    ...options,
  ];
}

async function listed(kubectl: Command): Promise<readonly Listed[]> {
  const text = await kubectl(['maas', 'list', ...inNamespace, '--output', 'json']);
  return (JSON.parse(text) as { items: Listed[] }).items;
}

function urlOf(models: readonly Listed[], name: string): string {
  const endpoints = models.find((each) => each.model === name)?.endpoints ?? [];
  const url = endpoints.find((endpoint) => endpoint.registered)?.url;
  if (!url) throw new Error(`kubectl maas list shows no registered endpoint of ${name}`);
  return url;
}

/** Without a slash at its end. */
function base(url: string): string {
  return url.replace(/\/$/, '');
}

function expect(answer: string, part: string): void {
  if (!answer.replaceAll(/\s/g, '').includes(part)) throw new Error(`the answer has no ${part}: ${answer}`);
}

/** A step whose result a person wants to see. */
async function shown(name: string, work: () => Promise<string>): Promise<void> {
  const text = await step(name, work);
  process.stdout.write(`${text.trimEnd().replaceAll(/^/gm, '        ')}\n`);
}

/** What one would look at after a failure, while it can still be seen. */
async function keepEvidence(kubectl: Command): Promise<void> {
  const looks = [
    ['get', 'modeldeployments.maas.dev', '--all-namespaces', '--output', 'yaml'],
    ['get', 'pods', '--all-namespaces', '--output', 'wide'],
    ['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp'],
    [
      'logs',
      '--namespace',
      operatorNamespace,
      '--selector',
      'app.kubernetes.io/name=maas-operator',
      '--tail',
      '200',
      '--prefix',
    ],
    ['logs', ...inNamespace, '--selector', 'maas.dev/model', '--all-containers', '--tail', '100', '--prefix'],
  ];
  const texts = await Promise.all(
    looks.map(async (args) => {
      const text = await kubectl(args).catch((error: unknown) => String(error));
      return `$ kubectl ${args.join(' ')}\n${text}`;
    }),
  );
  const file = join(localState, 'log', 'demo-evidence.log');
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, texts.join('\n\n'));
  process.stdout.write(`        resources, pods, events and logs as they were: ${file}\n`);
}

function goOnByHand(world: World): void {
  const engine = world.engine?.host;
  process.stdout.write(`
Go on by hand:
  export KUBECONFIG=${world.cluster?.kubeconfig}${engine ? ` DOCKER_HOST=${engine}` : ''}
  export MAAS_OPERATOR_NAMESPACE=${operatorNamespace}
  export PATH=${join(projectRoot, 'dist')}:${join(world.tools?.kubectl ?? '', '..')}:$PATH
  kubectl get mdl --all-namespaces
  kubectl maas list --namespace ${modelNamespace} --output wide
  kubectl maas add --name echo --version 2.0 --memory 64 --local-model-path deploy/samples/echo --namespace ${modelNamespace} --wait
  kubectl describe mdl --namespace ${modelNamespace}
  kubectl logs --namespace ${operatorNamespace} --selector app.kubernetes.io/name=maas-operator
  make down      # stops it all; \`make clean-local\` removes the data too
`);
}
