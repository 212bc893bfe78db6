/** What a ModelDeployment names that has to be there before its pods start. Pure. */
import { z } from 'zod';
import type { ReferencedKind } from '../ports.ts';

export interface Reference {
  readonly kind: ReferencedKind;
  /** Undefined for kinds that have none. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** Keys that it must have. */
  readonly keys: readonly string[];
  /** Of spec: `payload.tokenSecret`. */
  readonly field: string;
}

const withoutNamespace: ReadonlySet<ReferencedKind> = new Set(['PriorityClass', 'RuntimeClass']);

const text = z.string().min(1);
const keyOf = z.object({ name: text, key: text, optional: z.boolean().default(false) });
const whole = z.object({ name: text, optional: z.boolean().default(false) });
const items = z.array(z.object({ key: text })).default([]);
const mounted = z.object({ name: text, optional: z.boolean().default(false), items });
const volume = z.object({
  secret: z.object({ secretName: text, optional: z.boolean().default(false), items }).optional(),
  configMap: mounted.optional(),
  persistentVolumeClaim: z.object({ claimName: text }).optional(),
  projected: z
    .object({ sources: z.array(z.object({ secret: mounted.optional(), configMap: mounted.optional() })).default([]) })
    .optional(),
});
type Mounted = z.infer<typeof mounted>;

/** The fields for themselves: one that cannot be understood hides no other. */
const fields = {
  payload: z.object({ tokenSecret: text.optional() }),
  serviceAccountName: text,
  runtimeClassName: text,
  imagePullSecrets: z.array(z.object({ name: text })),
  scheduling: z.object({ priorityClassName: text.optional() }),
  env: z.array(
    z.object({
      name: z.string(),
      valueFrom: z.object({ secretKeyRef: keyOf.optional(), configMapKeyRef: keyOf.optional() }).optional(),
    }),
  ),
  envFrom: z.array(z.object({ secretRef: whole.optional(), configMapRef: whole.optional() })),
  volumes: z.array(volume),
};

function read<K extends keyof typeof fields>(spec: Readonly<Record<string, unknown>>, key: K) {
  const parsed = fields[key].safeParse(spec[key]);
  return parsed.success ? (parsed.data as z.infer<(typeof fields)[K]>) : undefined;
}

/** @param spec as it is written; fields that this program does not know are passed over */
export function referencesOf(spec: Readonly<Record<string, unknown>>, namespace: string): readonly Reference[] {
  const found: Reference[] = [];
  const add = (kind: ReferencedKind, name: string | undefined, field: string, keys: readonly string[] = []) => {
    if (name === undefined) return;
    found.push({ kind, namespace: withoutNamespace.has(kind) ? undefined : namespace, name, keys, field });
  };
  const addKey = (kind: ReferencedKind, reference: z.infer<typeof keyOf> | undefined, field: string) => {
    if (reference !== undefined && !reference.optional) add(kind, reference.name, field, [reference.key]);
  };
  const addMounted = (kind: ReferencedKind, reference: Mounted | undefined, field: string) => {
    if (reference === undefined || reference.optional) return;
    add(
      kind,
      reference.name,
      field,
      reference.items.map(({ key }) => key),
    );
  };

  add('Secret', read(spec, 'payload')?.tokenSecret, 'payload.tokenSecret', ['token']);
  add('ServiceAccount', read(spec, 'serviceAccountName'), 'serviceAccountName');
  add('RuntimeClass', read(spec, 'runtimeClassName'), 'runtimeClassName');
  add('PriorityClass', read(spec, 'scheduling')?.priorityClassName, 'scheduling.priorityClassName');
  for (const { name } of read(spec, 'imagePullSecrets') ?? []) add('Secret', name, 'imagePullSecrets');
  for (const { name, valueFrom } of read(spec, 'env') ?? []) {
    addKey('Secret', valueFrom?.secretKeyRef, `env ${name}`);
    addKey('ConfigMap', valueFrom?.configMapKeyRef, `env ${name}`);
  }
  for (const { secretRef, configMapRef } of read(spec, 'envFrom') ?? []) {
    addMounted('Secret', secretRef && { ...secretRef, items: [] }, 'envFrom');
    addMounted('ConfigMap', configMapRef && { ...configMapRef, items: [] }, 'envFrom');
  }
  for (const { secret, configMap, persistentVolumeClaim, projected } of read(spec, 'volumes') ?? []) {
    addMounted('Secret', secret && { ...secret, name: secret.secretName }, 'volumes');
    addMounted('ConfigMap', configMap, 'volumes');
    add('PersistentVolumeClaim', persistentVolumeClaim?.claimName, 'volumes');
    for (const source of projected?.sources ?? []) {
      addMounted('Secret', source.secret, 'volumes');
      addMounted('ConfigMap', source.configMap, 'volumes');
    }
  }
  return found;
}
