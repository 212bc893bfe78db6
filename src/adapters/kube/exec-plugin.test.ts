import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExecPlugins, type PluginCall } from './exec-plugin.ts';
import { anyPlugin } from './kubeconfig/plugin-policy.ts';

const apiVersion = 'client.authentication.k8s.io/v1';

describe('a credential plugin', () => {
  let directory: string;
  let now: number;
  let plugins: ExecPlugins;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'exec-plugin-'));
    now = Date.parse('2026-01-01T00:00:00Z');
    plugins = new ExecPlugins({ ...process.env, FROM: 'outside', BOTH: 'outside' }, () => now);
  });
  afterEach(() => {
    plugins.close();
    rmSync(directory, { recursive: true });
  });

  /** A plugin that counts its calls, and gives each a token with its number. */
  const numbered = (status = '', before = ''): PluginCall => {
    const command = join(directory, 'plugin');
    writeFileSync(
      command,
      `#!/bin/sh
cd ${directory}
echo call >> calls
${before}
echo '{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"'$(wc -l < calls | tr -d ' ')'"${status}}}'
`,
    );
    chmodSync(command, 0o755);
    return call(command);
  };
  const call = (command: string, more: Partial<PluginCall['exec']> = {}): PluginCall => ({
    exec: {
      command,
      args: [],
      env: [],
      apiVersion,
      installHint: '',
      provideClusterInfo: false,
      interactiveMode: 'Never',
      ...more,
    },
    cluster: undefined,
    policy: anyPlugin,
    place: '/home/joe/.kube/config: user "joe"',
  });
  const token = async (asked: PluginCall) => (await plugins.credential(asked)).token;

  it('is asked once by calls that come together, and not again while its answer holds', async () => {
    const asked = numbered();
    expect(await Promise.all([token(asked), token(asked), token(asked)])).toEqual(['1', '1', '1']);
    now += 1_000_000_000;
    // As after the kubeconfig was read again.
    expect(await token(structuredClone(asked))).toBe('1');
  });

  it('is asked again when its answer expired', async () => {
    const asked = numbered(',"expirationTimestamp":"2026-01-01T00:01:00Z"');
    expect(await token(asked)).toBe('1');
    now += 60_000;
    expect(await token(asked)).toBe('1');
    now += 1;
    expect(await Promise.all([token(asked), token(asked)])).toEqual(['2', '2']);
  });

  it('is asked again when its answer was refused, once for all who were refused', async () => {
    const asked = numbered();
    const first = await plugins.credential(asked);
    await plugins.refused(asked, first);
    expect(await token(asked)).toBe('2');
    await plugins.refused(asked, first);
    expect(await token(asked)).toBe('2');
  });

  it('is asked again after it failed', async () => {
    const asked = numbered('', '[ -e ready ] || exit 7');
    await expect(token(asked)).rejects.toMatchObject({
      code: 'CREDENTIAL_PLUGIN_FAILED',
      message: `/home/joe/.kube/config: user "joe": exec: ${asked.exec.command} ended with exit code 7`,
    });
    writeFileSync(join(directory, 'ready'), '');
    expect(await token(asked)).toBe('2');
  });

  it('has the environment, with what its entry adds over it', async () => {
    const asked = numbered('', 'echo "$FROM $BOTH $OWN" > seen');
    const env = [
      { name: 'OWN', value: 'entry' },
      { name: 'BOTH', value: 'entry' },
    ];
    await token({ ...asked, exec: { ...asked.exec, env } });
    expect(readFileSync(join(directory, 'seen'), 'utf8')).toBe('outside entry entry\n');
  });

  it('that is missing is named, with the hint of how to get it', async () => {
    await expect(token(call('no-such-login', { installHint: 'Run: apt install login' }))).rejects.toMatchObject({
      code: 'KUBECONFIG_INVALID',
      message: '/home/joe/.kube/config: user "joe": exec: command no-such-login not found',
      next: 'Run: apt install login',
    });
  });

  it('that is no program says so', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(token(call(file))).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID', message: /cannot be started/ });
  });

  it('does not live on when nobody waits for it any more', async () => {
    const asked = token(numbered('', 'echo $$ > pid; exec sleep 600'));
    asked.catch(() => {});
    const file = join(directory, 'pid');
    await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toMatch(/\d+\n/), 10_000);
    plugins.close();
    await expect(asked).rejects.toThrow('SIGTERM');
    expect(() => process.kill(Number(readFileSync(file, 'utf8')), 0)).toThrow('ESRCH');
  });
});
