import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorityExtensions, type MadeCertificate, makeCertificate } from '../../../test/builders/certificates.ts';
import { anchorsIn, systemAnchors } from './trust.ts';

describe('the authorities that are trusted', () => {
  const work = mkdtempSync(join(tmpdir(), 'trust-'));
  let a: MadeCertificate;
  let b: MadeCertificate;
  beforeAll(() => {
    a = makeCertificate(work, { name: 'a', extensions: authorityExtensions });
    b = makeCertificate(work, { name: 'b', extensions: authorityExtensions });
  });
  afterAll(() => rmSync(work, { recursive: true }));

  const junk = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

  it.each<[string, () => string, () => string[]]>([
    ['one', () => a.cert, () => [a.cert]],
    ['several, with words between', () => `# A\n${a.cert}subject=b\n\n${b.cert}# end`, () => [a.cert, b.cert]],
    ['Windows line ends', () => (a.cert + b.cert).replaceAll('\n', '\r\n'), () => [a.cert, b.cert]],
    ['one that nobody can parse', () => junk + a.cert, () => [a.cert]],
    ['keys', () => a.key + a.cert, () => [a.cert]],
    ['no newline at the end', () => a.cert.trimEnd(), () => [a.cert]],
    ['nothing', () => '', () => []],
    ['something else', () => 'hello', () => []],
  ])('in a bundle with %s', (_, bundle, expected) => {
    expect(anchorsIn(bundle())).toEqual(expected());
  });

  it('of the system are those of the variables', () => {
    const directory = join(work, 'certs');
    mkdirSync(directory);
    writeFileSync(join(directory, 'b.crt'), b.cert);
    symlinkSync('b.crt', join(directory, '0a1b2c3d.0'));
    const of = (file: string, list: string) => systemAnchors({ SSL_CERT_FILE: file, SSL_CERT_DIR: list }, 'linux');
    expect(of(a.certFile, '/nowhere')).toEqual([a.cert]);
    expect(of('/nowhere', `/none:${directory}`)).toEqual([b.cert]);
    expect(of(a.certFile, directory)).toEqual([a.cert, b.cert]);
    expect(of('/nowhere', '/nowhere')).toEqual([]);
  });
});
