/**
 * A pinned payload as the content of a ConfigMap, which takes 1 MiB. A list that is short enough is there as it is, for
 * people and for agents of earlier releases; a longer one is compressed.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { readJson } from '../kernel/schema-json.ts';
import { type PinnedFile, type PinnedPayload, pinnedPayload } from './payload.ts';
import { packedPayloadFile, pinnedPayloadFile } from './pod-contract.ts';

/** A list of at most this many bytes is there as it is. */
export const maxPlainBytes = 900_000;
/** A ConfigMap takes 1,048,576 bytes of content. */
export const maxPackedBytes = 1_000_000;
/** Bounds what is compressed, and what is believed to be compressed. */
const maxUnpackedBytes = 64 * 1024 * 1024;

/** What of a ConfigMap has content. */
export interface PinContent {
  readonly data?: Readonly<Record<string, string>> | undefined;
  /** Base64. */
  readonly binaryData?: Readonly<Record<string, string>> | undefined;
}

export function encodePin(payload: PinnedPayload): PinContent {
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) <= maxPlainBytes) return { data: { [pinnedPayloadFile]: text } };
  return { binaryData: { [packedPayloadFile]: gzipSync(text).toString('base64') } };
}

/** Undefined where there is none, or a damaged one. */
export function decodePin({ data, binaryData }: PinContent): PinnedPayload | undefined {
  const plain = data?.[pinnedPayloadFile];
  const packed = binaryData?.[packedPayloadFile];
  try {
    const text = plain ?? (packed === undefined ? '' : unpackPin(Buffer.from(packed, 'base64')));
    return readJson(text, pinnedPayload).value;
  } catch {
    return undefined;
  }
}

/** @throws what zlib throws */
export function unpackPin(packed: Uint8Array): string {
  return gunzipSync(packed, { maxOutputLength: maxUnpackedBytes }).toString('utf8');
}

/**
 * A payload in the form in which its pin has room: a list that is too long with them is without the SHA-256s, which
 * HDFS's own checksums make up for.
 *
 * @param room bytes
 * @returns the bytes that it needs instead, where there is no room for it
 */
export function fitPin(
  payload: PinnedPayload,
  room = maxPackedBytes,
): { readonly payload: PinnedPayload } | { readonly bytes: number } {
  if (sizeOf(payload) <= room) return { payload };
  const files = payload.files.map(
    ({ sha256, ...file }): PinnedFile =>
      file.checksum === undefined && sha256 !== undefined ? { ...file, sha256 } : file,
  );
  const lean = { ...payload, files };
  const bytes = sizeOf(lean);
  return bytes <= room ? { payload: lean } : { bytes };
}

/** Bytes in the ConfigMap. */
function sizeOf(payload: PinnedPayload): number {
  const text = JSON.stringify(payload);
  const plain = Buffer.byteLength(text);
  return plain <= maxPlainBytes || plain > maxUnpackedBytes ? plain : gzipSync(text).length;
}
