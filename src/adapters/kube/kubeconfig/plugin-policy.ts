/** Which credential plugins the user lets run: what kubectl's preferences (kuberc) say about that. */
import { parse } from 'yaml';
import { z } from 'zod';
import { quoted } from '../../../kernel/shown-text.ts';

export interface PluginPolicy {
  readonly policy: 'AllowAll' | 'DenyAll' | 'Allowlist';
  /** Names on the PATH, or paths. */
  readonly commands: readonly string[];
}

export const anyPlugin: PluginPolicy = { policy: 'AllowAll', commands: [] };

/** A policy that cannot be meant; the message does not name the file. */
export class ImpossiblePolicy extends Error {}

const preferences = z.object({
  apiVersion: z.enum(['kubectl.config.k8s.io/v1beta1', 'kubectl.config.k8s.io/v1alpha1']),
  kind: z.literal('Preference'),
  credentialPluginPolicy: z.string().nullish(),
  credentialPluginAllowlist: z.array(z.object({ command: z.string().nullish(), name: z.string().nullish() })).nullish(),
});

/** Undefined where the text is no preferences at all. @throws ImpossiblePolicy */
export function readPluginPolicy(text: string): PluginPolicy | undefined {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return undefined;
  }
  const parsed = preferences.safeParse(value);
  if (!parsed.success) return undefined;
  const policy = parsed.data.credentialPluginPolicy || 'AllowAll';
  const list = parsed.data.credentialPluginAllowlist ?? undefined;
  if (policy === 'AllowAll' || policy === 'DenyAll') {
    if (list === undefined) return { policy, commands: [] };
    throw new ImpossiblePolicy(`credentialPluginAllowlist goes with credentialPluginPolicy Allowlist, not ${policy}`);
  }
  if (policy !== 'Allowlist') throw new ImpossiblePolicy(`there is no credentialPluginPolicy ${quoted(policy)}`);
  const commands = (list ?? []).map(({ command, name }) => command || name || '');
  if (commands.length === 0 || commands.includes('')) {
    throw new ImpossiblePolicy(
      'credentialPluginPolicy Allowlist needs a credentialPluginAllowlist with a command in each',
    );
  }
  return { policy, commands };
}

/**
 * @param command as the kubeconfig names it
 * @param found the program that a name or a path means; undefined where there is none
 */
export function mayRun(
  command: string,
  { policy, commands }: PluginPolicy,
  found: (command: string) => string | undefined,
): boolean {
  if (policy === 'AllowAll') return true;
  if (policy === 'DenyAll') return false;
  if (commands.includes(command)) return true;
  const program = found(command);
  return program !== undefined && commands.some((allowed) => allowed === program || found(allowed) === program);
}
