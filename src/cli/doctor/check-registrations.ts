/** What a client makes of each node below the service root: Curator 2.7.1 reads all of them, or none. */
import {
  type InstanceNode,
  instancesOf,
  type ModelDirectory,
  type ZooKeeperSide,
} from '../zookeeper/zookeeper-side.ts';
import type { ZooKeeperFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** A client's first view of a hundred takes a few seconds, of four hundred more than forty. */
const manyRegistrations = 200;

export function checkRegistrations({ side }: ZooKeeperFacts): readonly Finding[] {
  switch (side.directories.state) {
    case 'missing':
      return [finding('ServiceRootMissing', side.serviceRoot, 'the node does not exist')];
    case 'hidden':
      return [finding('ServiceRootHidden', side.serviceRoot, side.directories.problem)];
    case 'listed':
      return [
        ...side.directories.value.flatMap(checkDirectory),
        ...instancesOf(side).flatMap(checkInstance),
        ...checkNumber(side),
      ];
  }
}

function checkDirectory({ path, instances }: ModelDirectory): readonly Finding[] {
  return instances.state === 'hidden' ? [finding('RegistrationHidden', path, instances.problem)] : [];
}

function checkInstance({ path, reading }: InstanceNode): readonly Finding[] {
  if (reading.state === 'hidden') return [finding('RegistrationHidden', path, reading.problem)];
  const { verdict, reasons } = reading.diagnosis;
  if (verdict === 'readable') {
    return reasons.length === 0 ? [] : [finding('RegistrationUnusable', path, reasons.join('; '))];
  }
  if (reading.children === 0) return [finding('RegistrationUnreadable', path, reasons.join('; '))];
  // A model whose name has a slash, or somebody's tree below the wrong node.
  const evidence = `clients expect a registration here, but it is a directory with ${reading.children} node(s) below it: ${reasons.join('; ')}`;
  return [
    finding(
      'RegistrationUnreadable',
      path,
      evidence,
      'Remove the directory, with what is in it; a model name has no slash.',
    ),
  ];
}

function checkNumber(side: ZooKeeperSide): readonly Finding[] {
  const count = instancesOf(side).length;
  if (count < manyRegistrations) return [];
  return [finding('RegistrationsMany', side.serviceRoot, `${count} registrations`)];
}
