/**
 * `maas_deploy.sh`: the old deploy client's command line, done through Kubernetes by the same `add` and `remove` as
 * `kubectl maas`. See docs/adr/0021.
 */

import { hasCode, MaasError } from '../../contracts/errors.ts';
import { tidyHdfsPath } from '../../contracts/hdfs-path.ts';
import { defaultOperatorNamespace } from '../../contracts/settings.ts';
import { grantedMemory, namespaceForModel, oldDefaults } from '../../deploy-rules/old-words.ts';
import { type Deployed, deployedIn } from '../cluster/deployed.ts';
import { title, titleOf } from '../cluster/model.ts';
import { type PublishedSettings, readSettings } from '../cluster/operator-settings.ts';
import { type AddRequest, addInstances } from '../commands/add.ts';
import { removeInstances } from '../commands/remove.ts';
import type { UnlistedCommand } from '../define-command.ts';
import { exitCodes } from '../exit-codes.ts';
import { note } from '../output/say.ts';
import { tellUpload } from '../output/tell-upload.ts';
import type { Cluster, OverOutcome, Ports } from '../ports.ts';
import {
  deployHelp,
  type LegacyAdd,
  type LegacyDeploy,
  type LegacyRemove,
  parseLegacyDeploy,
} from './deploy-options.ts';
import { legacyList } from './list.ts';

/** How long a resource of the same name may take to go, before its successor is made. */
const goneWithinMs = 600_000;

export const oldDeploy: UnlistedCommand = {
  name: '__legacy-deploy',
  async run(argv, { namespace, operatorNamespace = defaultOperatorNamespace }, ports) {
    const command = parseLegacyDeploy(argv, { namespace, operatorNamespace });
    if (command === undefined) ports.out.write(deployHelp());
    else await execute(command, ports);
    return exitCodes.ok;
  },
};

async function execute(command: LegacyDeploy, ports: Ports): Promise<void> {
  if (command.mode === 'LIST') return await legacyList(command, ports);
  const cluster = ports.connect(command.cluster);
  const settings = await settingsIfAny(command, cluster);
  const namespace =
    command.namespace ??
    (settings === undefined ? undefined : namespaceForModel(command.model, settings.legacy.queue)) ??
    cluster.namespace;
  if (command.mode === 'REMOVE') return await removeInstances(oneModel(command, namespace), ports, cluster);
  await legacyAdd(command, namespace, settings, ports, cluster);
}

/** Undefined where the operator publishes nothing, or not to this user: only an upload cannot do without. */
async function settingsIfAny(
  command: LegacyAdd | LegacyRemove,
  cluster: Cluster,
): Promise<PublishedSettings | undefined> {
  try {
    return await readSettings(cluster, command.operatorNamespace);
  } catch (error) {
    const needed = command.mode === 'ADD' && command.localPath !== undefined;
    if (needed || !hasCode(error, 'SETTINGS_NOT_FOUND', 'CLUSTER_FORBIDDEN', 'CLUSTER_NOT_FOUND')) throw error;
    return undefined;
  }
}

async function legacyAdd(
  command: LegacyAdd,
  namespace: string,
  settings: PublishedSettings | undefined,
  ports: Ports,
  cluster: Cluster,
): Promise<void> {
  const wanted: AddRequest = {
    ...oneModel(command, namespace),
    memory: memoryFor(command, settings),
    hdfsPath: command.hdfsPath,
    oldDefaults: oldDefaults(settings ?? {}),
  };
  let payloadComplete: string | undefined;
  if (command.localPath !== undefined && settings !== undefined) {
    // What the cluster would refuse must not have replaced a payload by then.
    await addInstances({ ...wanted, dryRun: true }, quiet(ports), cluster);
    const outcome = await upload(command, command.localPath, settings, ports);
    payloadComplete = outcome.payloadComplete;
    if (outcome.replaced) tellWhoRunsFromThere(command, await deployedIn(cluster, namespace), ports);
  }
  await addInstances({ ...wanted, payloadComplete }, ports, cluster);
}

function oneModel(command: LegacyAdd | LegacyRemove, namespace: string) {
  const { cluster, operatorNamespace, model, version, instances } = command;
  const now = { wait: false, timeoutMs: goneWithinMs, dryRun: false, output: undefined };
  return { cluster, operatorNamespace, namespace, model, version, instances, ...now };
}

function memoryFor({ memoryMb }: LegacyAdd, settings: PublishedSettings | undefined): string | undefined {
  if (memoryMb === undefined) return undefined;
  const bounds = settings?.legacy.queue.memory ?? { incrementMb: 1, maximumMb: null };
  const granted = grantedMemory(memoryMb, bounds);
  if (granted.exceeds !== undefined) {
    throw new MaasError('USAGE', `-m ${memoryMb}: more than the maximum of ${granted.exceeds} MB an instance`, {
      next: 'Ask for less, or have legacy.queue.memory.maximumMb of the operator raised.',
    });
  }
  return `${granted.memoryMb}Mi`;
}

function upload(
  { hdfsPath }: LegacyAdd,
  localPath: string,
  settings: PublishedSettings,
  ports: Ports,
): Promise<OverOutcome> {
  return tellUpload(ports, 'these files', async (watch) => {
    const outcome = await ports.payloads(settings.hdfs).uploadOver(localPath, hdfsPath, watch);
    if (outcome.directories.length > 0) {
      const names = outcome.directories.map((name) => `${name}/`).join(', ');
      watch.onWarning(`only the files directly in ${localPath} are uploaded, not ${names}`);
    }
    return outcome;
  });
}

/**
 * One path for every version was the habit on YARN, where a lost instance was not replaced anyway. Who reads from a copy
 * in the payload store does not mind, once it is made.
 */
function tellWhoRunsFromThere({ hdfsPath, ...named }: LegacyAdd, models: readonly Deployed[], ports: Ports): void {
  const others = models.filter(({ path, deleting }) => !deleting && tidyHdfsPath(path) === tidyHdfsPath(hdfsPath));
  const tell = (text: string) => note(ports.err, text);
  for (const { resource, readFrom } of others) {
    const who = titleOf(resource);
    if (who === title(named)) {
      tell(`${who} runs already, and new files do not reach it: give them a version of their own, or remove it first`);
    } else if (readFrom !== 'Store') {
      tell(
        `${who} was started from the same path, and an instance that it loses cannot be replaced from there any more`,
      );
    } else if (resource.status.payload?.copy === undefined) {
      tell(`${who} is deployed from the same path and not copied from there yet, so it starts with the new files`);
    }
  }
}

function quiet(ports: Ports): Ports {
  const nowhere = { write: () => {}, terminal: false, colour: false, width: 80, height: 24 };
  return { ...ports, out: nowhere, err: nowhere };
}
