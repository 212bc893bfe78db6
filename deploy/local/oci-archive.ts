/** Writes container images as one OCI archive, from layers that are plain directories; images may share layers. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageDescription {
  /** With the tag. */
  readonly name: string;
  /** Directories whose contents are the layers. */
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
}

const mediaType = (kind: string) => `application/vnd.oci.image.${kind}`;
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const platform = { architecture, os: 'linux' };

/** @param scratch an empty directory; the archive is written to `file`. */
export async function writeOciArchive(
  images: readonly ImageDescription[],
  scratch: string,
  file: string,
): Promise<void> {
  const blobs = join(scratch, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });

  const put = (kind: string, value: unknown): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, digest), bytes);
    return { mediaType: mediaType(kind), digest: `sha256:${digest}`, size: bytes.length };
  };

  // Not compressed: the archive is read once, from the same disk.
  const layers = new Map<string, Descriptor>();
  for (const directory of new Set(images.flatMap((image) => image.layers))) {
    const tar = join(scratch, 'layer.tar');
    await run('tar', ['-C', directory, '--owner=0', '--group=0', '--numeric-owner', '--sort=name', '-cf', tar, '.']);
    const digest = await sha256(tar);
    const size = statSync(tar).size;
    renameSync(tar, join(blobs, digest));
    layers.set(directory, { mediaType: mediaType('layer.v1.tar'), digest: `sha256:${digest}`, size });
  }

  const manifests = images.map((image) => {
    const own = image.layers.map((directory) => layers.get(directory)).filter((layer) => layer !== undefined);
    const config = put('config.v1+json', {
      ...platform,
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        WorkingDir: '/',
        ...(image.entrypoint ? { Entrypoint: image.entrypoint } : {}),
      },
      rootfs: { type: 'layers', diff_ids: own.map((layer) => layer.digest) },
    });
    const manifest = put('manifest.v1+json', {
      schemaVersion: 2,
      mediaType: mediaType('manifest.v1+json'),
      config,
      layers: own,
    });
    const annotations = {
      'io.containerd.image.name': image.name,
      'org.opencontainers.image.ref.name': image.name.slice(image.name.lastIndexOf(':') + 1),
    };
    return { ...manifest, platform, annotations };
  });

  writeFileSync(join(scratch, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(
    join(scratch, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaType('index.v1+json'), manifests }),
  );
  await run('tar', ['-C', scratch, '-cf', file, 'oci-layout', 'index.json', 'blobs']);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
