/** Objects as JSON and YAML. */
import { Document, isScalar, visit } from 'yaml';
import { apiVersion, kind } from '../../contracts/resource.ts';
import { visible, visibleLines } from '../../kernel/shown-text.ts';
import { recordOf } from '../cluster/api-object.ts';
import type { Model } from '../cluster/model.ts';
import type { ApiObject } from '../ports.ts';

export function printJson(value: unknown): string {
  return `${visibleLines(JSON.stringify(value, undefined, 2))}\n`;
}

/** YAML that YAML 1.1 readers, kubectl among them, read the same way. */
export function printYaml(value: unknown): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      // Only between double quotes can a character be written as an escape.
      if (
        isScalar(node) &&
        typeof node.value === 'string' &&
        visible(node.value) !== node.value.replaceAll('\n', ' ')
      ) {
        node.type = 'QUOTE_DOUBLE';
      }
    },
  });
  return visibleLines(document.toString({ lineWidth: 0 }));
}

/** What can be applied again: no status, nothing that the API server added. */
export function manifestOf(model: Model): ApiObject {
  const { name, namespace } = model.metadata;
  const metadata = recordOf(model.object['metadata']);
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = recordOf(metadata['annotations']);
  const labels = recordOf(metadata['labels']);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: model.object['spec'],
  };
}

/** The resource as it is, without the record of who owns which field. */
export function resourceOf(model: Model): ApiObject {
  const { managedFields: _, ...metadata } = recordOf(model.object['metadata']);
  const { apiVersion: __, kind: ___, metadata: ____, ...rest } = model.object;
  return { apiVersion, kind, metadata, ...rest };
}
