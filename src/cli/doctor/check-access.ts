/** Can what is to be checked be asked at all? */
import type { Facts } from './facts.ts';
import { type Finding, finding } from './finding.ts';
import { isAway, notChecked } from './not-checked.ts';

/** The API server, the settings, ZooKeeper. */
export function checkAccess({ settings, zookeeper, cluster }: Facts): readonly Finding[] {
  const found: Finding[] = [];
  const asked = [settings, cluster.crd, cluster.operators, cluster.lease];
  const away = asked.flatMap((answer) => (!answer.known && isAway(answer.error) ? [answer.error] : []))[0];
  if (away !== undefined) found.push(finding('ClusterUnreachable', 'kubernetes', away.message, away.next));

  const where = `${cluster.namespace}/maas-operator-settings`;
  if (!settings.known && !isAway(settings.error)) {
    const { error } = settings;
    if (error.code === 'SETTINGS_NOT_FOUND') found.push(finding('SettingsMissing', where, error.message));
    else if (error.code === 'SETTINGS_INVALID') found.push(finding('SettingsUnreadable', where, error.message));
    else found.push(notChecked(where, error));
  }
  if (zookeeper === undefined) {
    found.push(
      finding(
        'NotChecked',
        'zookeeper',
        'nothing that clients see was checked: no published settings say where ZooKeeper is',
        'Name it with --zookeeper host:port,host:port.',
      ),
    );
  } else if (!zookeeper.known) {
    found.push(finding('ZooKeeperUnreachable', 'zookeeper', zookeeper.error.message));
  }
  return found;
}
