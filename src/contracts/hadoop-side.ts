/** How ZooKeeper and HDFS are reached: the part of the settings that agents get, too. */
import { z } from 'zod';

export const zookeeperSettings = z.object({
  /** `host:port,host:port`, optionally followed by one chroot: `zk1:2181,zk2:2181/hadoop`. */
  quorum: z.string().min(1),
  /** The configuration node, as the old deploy tools' `-zr`. Stellar always reads /metron/maas/config. */
  configPath: z.string().startsWith('/').default('/metron/maas/config'),
  /** Where operator and agents keep what is theirs, outside what clients read. */
  operatorRoot: z.string().startsWith('/').default('/maas/operator'),
  sessionTimeoutMs: z.int().min(4_000).max(120_000).default(10_000),
});
export type ZooKeeperSettings = z.infer<typeof zookeeperSettings>;

export const nameservice = z.object({
  /** WebHDFS base addresses, `http://nn1:9870`; more than one for a high-availability pair. */
  webhdfs: z.array(z.url({ protocol: /^https?$/ })).min(1),
  /** RPC authorities that mean this nameservice in `hdfs://` URIs, besides its own name: `nn1:8020`. */
  authorities: z.array(z.string()).default([]),
});

export const hdfsSettings = z.object({
  nameservices: z
    .record(z.string(), nameservice)
    .refine((all) => Object.keys(all).length > 0, 'name at least one nameservice'),
  /** Which of the nameservices a path without an authority means; the only one when there is one. */
  defaultNameservice: z.string().optional(),
  /** Sent as user.name; relative payload paths are below its home directory. */
  user: z.string().min(1).default('maas'),
});
export type HdfsSettings = z.infer<typeof hdfsSettings>;
