/** Where `kubectl maas` puts the payload of a version, and looks for it, when no path is named. Pure. */
import { shortHash } from '../contracts/names.ts';

/** One directory a version, relative to the HDFS user's home or absolute, as the root is. */
export function defaultPayloadPath(payloadRoot: string, model: string, version: string): string {
  return `${payloadsOf(payloadRoot, model)}/${versionDirectory(version)}`;
}

/** The name of a version's directory there. */
export function versionDirectory(version: string): string {
  return pathSegment(version);
}

/** The directory in which all versions of a model have theirs. */
export function payloadsOf(payloadRoot: string, model: string): string {
  return `${payloadRoot.replace(/\/+$/, '')}/${pathSegment(model)}`;
}

/** Of a digest's hex: enough that nobody meets two payloads with the same. */
const digestLetters = 16;

/**
 * A directory for these bytes alone, beside the one that would hold any: `models/dga/1.0@sha256-0123456789abcdef`.
 * @param digest `sha256:` and hex
 */
export function immutablePath(path: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${path.replace(/\/+$/, '')}@${algorithm}-${hex.slice(0, digestLetters)}`;
}

/** What stands before the digest in the name of such a directory, and the name itself of any other one. */
export function mutableName(name: string): string {
  return name.replace(/@sha256-[0-9a-f]{16}$/, '');
}

/** A name as one directory: itself where HDFS takes it, else its letters with a hash that keeps it apart. */
function pathSegment(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._ -]*$/u.test(name) && name === name.normalize('NFC')) return name;
  const readable = name.normalize('NFC').replace(/[^\p{L}\p{N}_-]+/gu, '-');
  return `${readable}-${shortHash(name)}`;
}
