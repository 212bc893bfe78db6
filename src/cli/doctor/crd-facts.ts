/** From a CustomResourceDefinition, as the API server gives it or as this program makes it, to what is checked of it. */
import { z } from 'zod';
import { apiVersion } from '../../contracts/resource.ts';
import type { CrdFacts } from './facts.ts';

const schemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({ properties: z.record(z.string(), schemaNode).optional(), items: schemaNode.optional() }),
);
interface SchemaNode {
  properties?: Record<string, SchemaNode> | undefined;
  items?: SchemaNode | undefined;
}

const definition = z.object({
  spec: z.object({
    versions: z
      .array(
        z.object({
          name: z.string(),
          served: z.boolean(),
          schema: z.object({ openAPIV3Schema: schemaNode.optional() }).optional(),
        }),
      )
      .default([]),
  }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .default({ conditions: [] }),
});

/** Lenient: what cannot be understood is as if it were not there, and so is found missing. */
export function crdFacts(object: unknown): CrdFacts {
  const parsed = definition.safeParse(object);
  if (!parsed.success) return { versions: [], established: false, specFields: [] };
  const { spec, status } = parsed.data;
  const used = spec.versions.find(({ name }) => name === apiVersion.slice(apiVersion.indexOf('/') + 1));
  const specNode = used?.schema?.openAPIV3Schema?.properties?.['spec'];
  return {
    versions: spec.versions.map(({ name, served }) => ({ name, served })),
    established: status.conditions.some(({ type, status: is }) => type === 'Established' && is === 'True'),
    specFields: specNode === undefined ? [] : fieldsOf(specNode, ''),
  };
}

function fieldsOf(node: SchemaNode, prefix: string): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    `${prefix}${name}`,
    ...fieldsOf(child, `${prefix}${name}.`),
  ]);
  return node.items === undefined ? own : [...own, ...fieldsOf(node.items, prefix.replace(/\.$/, '[].'))];
}
