/** The URL that clients are told: never the host that the model wrote, unless the resource says how to reach it. */

import { MaasError } from '../../contracts/errors.ts';
import { quoted } from '../../kernel/shown-text.ts';
import { advertisedUrl, type EndpointFile, portOf } from '../../wire/endpoint-file.ts';
import type { Pod } from '../assignment.ts';

/**
 * @param advertise `PodIP`, `Node`, or a URL with placeholders; the path of endpoint.dat is appended to it
 * @throws MaasError SETTINGS_INVALID where the template has a placeholder that does not exist, or makes no URL
 */
export function advertisedEndpoint(
  advertise: string,
  endpoint: EndpointFile,
  pod: Pod,
  model: { readonly name: string; readonly version: string },
): string {
  if (advertise === 'PodIP') return advertisedUrl(endpoint, pod.ip);
  if (advertise === 'Node') return advertisedUrl(endpoint, pod.nodeIp);
  const values: Readonly<Record<string, string>> = {
    port: String(portOf(endpoint)),
    pod: pod.name,
    podIP: bracketed(pod.ip),
    nodeIP: bracketed(pod.nodeIp),
    node: pod.nodeName,
    namespace: pod.namespace,
    model: encodeURIComponent(model.name),
    version: encodeURIComponent(model.version),
  };
  // An IPv6 address brings its brackets along; who has written them too means the same.
  const template = advertise.replace(/\[(\{(?:podIP|nodeIP)\})\]/g, '$1');
  const url = template.replace(/\{([^{}]*)\}/g, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    throw new MaasError('SETTINGS_INVALID', `spec.advertise has a placeholder that does not exist: ${placeholder}`, {
      next: `Use only ${Object.keys(values)
        .map((each) => `{${each}}`)
        .join(', ')}.`,
    });
  });
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new MaasError('SETTINGS_INVALID', `spec.advertise makes ${quoted(url, 200)} of this pod, which is no URL`, {
      next: 'Put {podIP} and {nodeIP} where a host stands alone: an IPv6 address cannot be a part of a name.',
    });
  }
  return endpoint.path === '' ? url : `${url.replace(/\/$/, '')}${endpoint.path}`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
