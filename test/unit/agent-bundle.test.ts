/** What an agent loads before it does anything: every start of every instance pays for it. See docs/adr/0041. */
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { projectRoot } from '../../deploy/local/cache.ts';

it('the agent loads neither TLS, nor proxies, nor the schemas of the resource and of all settings', async () => {
  const { metafile } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ['src/bin/agent.ts'],
    outfile: 'agent.cjs',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  const [output] = Object.values(metafile.outputs);
  const atOnce = output?.imports.filter(({ kind }) => kind !== 'dynamic-import').map(({ path }) => path);
  const modules = [...Object.keys(output?.inputs ?? {}), ...(atOnce ?? [])];
  expect(modules).toContain('src/contracts/pod-contract.ts');
  const dear = [
    /^(node:)?(https|tls)$/,
    /node_modules\/(https-proxy-agent|socks-proxy-agent|webhdfs|@kubernetes)\//,
    /^src\/contracts\/(resource|settings)\.ts$/,
  ];
  expect(modules.filter((module) => dear.some((one) => one.test(module)))).toEqual([]);
  // What a resource has to ask for is there, and run only then.
  const shield = /^src\/agent\/shield\//;
  const into = Object.entries(metafile.inputs)
    .filter(([module]) => !shield.test(module))
    .flatMap(([, { imports }]) => imports.filter(({ path }) => shield.test(path)));
  expect(new Set(into.map(({ kind }) => kind))).toEqual(new Set(['dynamic-import']));
});
