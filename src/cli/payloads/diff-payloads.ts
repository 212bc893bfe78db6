/** Compares the payloads of two versions: which files, and of texts which lines. */
import { MaasError } from '../../contracts/errors.ts';
import type { PayloadPlace } from '../../contracts/stored-payload.ts';
import { mutableName, versionDirectory } from '../../deploy-rules/payload-place.ts';
import type { PayloadCatalogue } from '../ports.ts';
import type { PayloadWorld, ReferenceView } from './look.ts';
import { type FileDifference, fileDifferences, textOf } from './payload-diff.ts';
import type { DiffView } from './print-payloads.ts';
import { textDiff } from './text-diff.ts';

/** Longer files are not compared line by line; nor are more files than these, nor more lines shown. */
const maxTextBytes = 256 * 1024;
const maxTexts = 20;
const maxLines = 60;

/**
 * Where the payload of a version is: where a resource of it says, or its history; else in the model's directory, the one
 * that was changed last of those by digest. A text with a slash is a path itself.
 * @throws MaasError MODEL_NOT_FOUND, HDFS_*
 */
export async function placeOf(
  model: string,
  version: string,
  { catalogue, base }: PayloadWorld,
  { models }: ReferenceView,
): Promise<PayloadPlace> {
  if (version.includes('/')) return await catalogue.locate(version);
  const resource = models.find(({ spec }) => spec.name === model && spec.version === version);
  if (resource !== undefined && resource.spec.payload.path !== '') {
    return await catalogue.locate(resource.spec.payload.path);
  }
  const remembered = models
    .filter(({ spec }) => spec.name === model)
    .flatMap(({ status }) => status.history ?? [])
    .find((revision) => revision.version === version);
  if (remembered !== undefined) return await catalogue.locate(remembered.path);
  const name = versionDirectory(version);
  const nameIn = ({ directory }: PayloadPlace) => directory.slice(directory.lastIndexOf('/') + 1);
  const found = (await catalogue.below(base))
    .filter((each) => each.kind !== 'unfinished' && (nameIn(each) === version || mutableName(nameIn(each)) === name))
    .sort((a, b) => b.changedAt - a.changedAt)[0];
  if (found !== undefined) return found;
  throw new MaasError('MODEL_NOT_FOUND', `there is no payload of ${model} ${version} in ${base.directory}`, {
    next: `See which there are with \`kubectl maas payload ls ${model}\`, or name the path.`,
  });
}

export async function diffPayloads(
  catalogue: PayloadCatalogue,
  from: PayloadPlace,
  to: PayloadPlace,
): Promise<DiffView> {
  const [before, after] = await Promise.all([catalogue.files(from), catalogue.files(to)]);
  const differences = fileDifferences(before, after);
  let texts = 0;
  const files: DiffView['files'][number][] = [];
  for (const difference of differences) {
    const text = texts < maxTexts ? await textIn(catalogue, from, to, difference) : undefined;
    if (text !== undefined) texts += 1;
    files.push({
      path: difference.path,
      change: difference.change,
      before: difference.before ?? null,
      after: difference.after ?? null,
      text: text ?? null,
    });
  }
  return { from: from.directory, to: to.directory, files };
}

/** Lines that differ; undefined where it is not a text of a bearable length on both sides. */
async function textIn(
  catalogue: PayloadCatalogue,
  from: PayloadPlace,
  to: PayloadPlace,
  { path, change, before = 0, after = 0 }: FileDifference,
): Promise<readonly string[] | undefined> {
  if (change === 'added' || change === 'removed' || Math.max(before, after) > maxTextBytes) return undefined;
  const [old, fresh] = await Promise.all(
    [from, to].map(async (place) => textOf(await catalogue.head(place, path, maxTextBytes))),
  );
  return old === undefined || fresh === undefined ? undefined : textDiff(old, fresh, maxLines);
}
