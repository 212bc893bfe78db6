import { expect, test } from 'vitest';
import { versionIn } from './packaged.ts';

test.each([
  ['kind v0.33.0 go1.27.2 linux/amd64', '0.33.0'],
  ['containerd github.com/containerd/containerd/v2 2.1.9+unknown ', '2.1.9'],
  ['version.BuildInfo{Version:"v4.2.3", GitCommit:"43e8b7f", KubeClientVersion:"v1.36"}', '4.2.3'],
  ['Client Version: v1.36.3\nKustomize Version: v5.8.1', '1.36.3'],
  ['no such command', undefined],
])('the version in %j is %s', (text, version) => {
  expect(versionIn(text)).toBe(version);
});
