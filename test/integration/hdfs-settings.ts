/** The settings of the real HDFS. */
import { type HdfsSettings, hdfsSettings } from '../../src/contracts/hadoop-side.ts';
import { present } from './world.ts';

/** @param addresses WebHDFS addresses in another order, or fewer of them */
export function realHdfsSettings(addresses?: readonly string[]): HdfsSettings {
  const { nameservice, user, namenodes } = present('hdfs');
  return hdfsSettings.parse({
    nameservices: {
      [nameservice]: {
        webhdfs: addresses ?? namenodes.map(({ webhdfs }) => webhdfs),
        authorities: namenodes.map(({ rpc }) => rpc),
      },
    },
    user,
  });
}
