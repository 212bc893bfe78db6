/** Where `kubectl maas` puts the payload of a version, and looks for it, when no path is named. Pure. */
import { shortHash } from '../contracts/names.ts';

/** One directory a version, relative to the HDFS user's home or absolute, as the root is. */
export function defaultPayloadPath(payloadRoot: string, model: string, version: string): string {
  return `${payloadRoot.replace(/\/+$/, '')}/${pathSegment(model)}/${pathSegment(version)}`;
}

/** A name as one directory: itself where HDFS takes it, else its letters with a hash that keeps it apart. */
function pathSegment(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._ -]*$/u.test(name) && name === name.normalize('NFC')) return name;
  const readable = name.normalize('NFC').replace(/[^\p{L}\p{N}_-]+/gu, '-');
  return `${readable}-${shortHash(name)}`;
}
