/** Joins payload rules, payload store and HDFS for the operator: one connection a nameservice, kept. */

import { type Call, measured } from '../adapters/measured-calls.ts';
import { type Hdfs, openHdfs } from '../adapters/webhdfs/hdfs.ts';
import { joinHdfsPath, parseHdfsPath } from '../contracts/hdfs-path.ts';
import type { HdfsSettings, PayloadStoreSettings } from '../contracts/settings.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Payloads } from '../operator/ports.ts';
import { Originals } from '../payload/originals.ts';
import { PayloadStore } from '../payload/payload-store.ts';
import { payloadChange, resolvePayload } from '../payload/resolve.ts';
import { directoryOf, storeLocation } from './hdfs-directory.ts';

interface Options {
  readonly clock: Clock;
  readonly log: { debug(fields: object, message: string): void };
  /** The current delegation token, where there is one. */
  readonly token: () => Promise<string | undefined>;
  readonly store: PayloadStoreSettings;
  /** Told of each call to HDFS. */
  readonly observe: (call: Call) => void;
  /** Names this operator's own directory below the store's root. */
  readonly owner: { readonly clusterId: string; readonly namespace: string };
}

interface Nameservice {
  readonly hdfs: Hdfs;
  readonly originals: Originals;
  /** Made when it is first needed: a relative root is below a home directory that HDFS has to tell. */
  store?: PayloadStore;
}

const hdfsCalls = [
  'status',
  'checksum',
  'blockLengths',
  'read',
  'home',
  'list',
  'checkAccess',
  'write',
  'mkdirs',
  'rename',
  'replace',
  'delete',
] as const satisfies readonly (keyof Hdfs)[];

export function hdfsPayloads(settings: HdfsSettings, options: Options): Payloads {
  const { clock, store, owner } = options;
  const open = new Map<string, Nameservice>();
  const of = (name: string): Nameservice => {
    let nameservice = open.get(name);
    if (nameservice === undefined) {
      const hdfs = measured(openHdfs(settings, name, options), hdfsCalls, {
        monotonic: clock.monotonic,
        observe: options.observe,
      });
      nameservice = { hdfs, originals: new Originals(hdfs) };
      open.set(name, nameservice);
    }
    return nameservice;
  };
  const storeOf = async (name: string, signal: AbortSignal): Promise<PayloadStore> => {
    const nameservice = of(name);
    if (nameservice.store !== undefined) return nameservice.store;
    const root = await directoryOf(nameservice.hdfs, storeLocation(store, settings, name), signal);
    // Two looks at once may have got here; what one of them has remembered must not be forgotten.
    nameservice.store ??= new PayloadStore(nameservice.hdfs, {
      nameservice: name,
      root: joinHdfsPath(root, `${owner.clusterId}/${owner.namespace}`),
      removeAfterMs: store.removeAfterMs,
      clock,
    });
    return nameservice.store;
  };
  return {
    async resolve(path, completeAt, signal) {
      const location = parseHdfsPath(path, settings);
      const { nameservice } = location;
      const { hdfs } = of(nameservice);
      const directory = await directoryOf(hdfs, location, signal);
      return resolvePayload(hdfs, { nameservice, directory, completeAt }, clock.now, signal);
    },
    async keep(found, progress, signal) {
      return (await storeOf(found.nameservice, signal)).keep(found, progress, signal);
    },
    async mend(pinned, signal) {
      await (await storeOf(pinned.nameservice, signal)).mend(pinned, signal);
    },
    async drift(pinned, signal) {
      return payloadChange(of(pinned.nameservice).hdfs, pinned, signal);
    },
    async originalDrift(pinned, signal) {
      return of(pinned.nameservice).originals.change(pinned, signal);
    },
    async sweep(referred, may, signal) {
      const removed = await Promise.allSettled(
        Object.keys(settings.nameservices).map(async (name) =>
          (await storeOf(name, signal)).sweep(referred, may, signal),
        ),
      );
      // One that is away keeps no other from being swept.
      const failed = removed.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return removed.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    },
  };
}
