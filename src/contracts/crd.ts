/**
 * The CustomResourceDefinition, made from the zod schema of resource.ts. What OpenAPI cannot say is added here as CEL
 * rules, so that the API server alone refuses what could never work; there is no webhook.
 */
import { z } from 'zod';
import { sameJson } from '../kernel/canonical-json.ts';
import { group } from './api-group.ts';
import { quantityPattern } from './quantity.ts';
import {
  hostPathRefused,
  kind,
  maxResourceName,
  modelDeploymentSpec,
  mountPathRefused,
  ownVolumes,
  plural,
  refusedMountPath,
  volumeNameTaken,
} from './resource.ts';
import { modelDeploymentStatus, notSeenReason } from './resource-status.ts';

type Json = { [key: string]: unknown };

/** zod's JSON schema in the subset that the API server takes (a "structural schema"). */
function structural(schema: z.ZodType): Json {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    target: 'openapi-3.0',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => makeStructural(jsonSchema as Json),
  }) as Json;
  delete made['$schema'];
  return made;
}

function makeStructural(node: Json): void {
  const anything = node['opaque'] === true;
  if (anything) {
    delete node['opaque'];
    delete node['additionalProperties'];
    node['type'] = 'object';
  }
  const scalar = scalarOf(node);
  if (scalar !== undefined) {
    for (const key of Object.keys(node)) if (key !== 'description') delete node[key];
    Object.assign(node, scalar);
  }
  delete node['propertyNames'];
  const others = node['additionalProperties'];
  if (others === false || sameJson(others, {})) delete node['additionalProperties'];
  if (anything || sameJson(others, {})) node['x-kubernetes-preserve-unknown-fields'] = true;
  boundNumbers(node);
  if (node['format'] === 'date-time') delete node['pattern'];
}

/** zod bounds integers by what JavaScript can count; the API server's int64 needs no such words. */
function boundNumbers(node: Json): void {
  if (node['maximum'] === Number.MAX_SAFE_INTEGER) delete node['maximum'];
  if (node['minimum'] === Number.MIN_SAFE_INTEGER) delete node['minimum'];
  if (node['type'] === 'integer') node['format'] = 'int64';
}

/**
 * Values that are written as text or as a number. `integer or string` is all that Kubernetes has a word for, and what
 * its rules can look at; a fraction without quotes (`cpu: 0.5`) fits no such field, so those that may be one have no type.
 */
function scalarOf(node: Json): Json | undefined {
  const intOrString = { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
  if (node['quantity'] === 'IntOrString') return { ...intOrString, pattern: quantityPattern, minimum: 0 };
  if (node['quantity'] === 'NumberOrString') {
    return {
      pattern: quantityPattern,
      maxLength: 32,
      minimum: 0,
      // Neither truths nor maps nor lists: without a type only their own words can refuse them.
      not: { enum: [true, false] },
      minProperties: 1,
      maxProperties: 0,
      minItems: 1,
      maxItems: 0,
      'x-kubernetes-preserve-unknown-fields': true,
    };
  }
  if (node['intOrPercent'] === true) return { ...intOrString, pattern: '^[1-9][0-9]{0,2}%$', minimum: 1 };
  return undefined;
}

const at = (schema: Json, ...path: string[]): Json =>
  path.reduce<Json>((node, key) => (node['properties'] as Record<string, Json>)[key] as Json, schema);

const rule = (expression: string, message: string) => ({ rule: expression, message });

/** A number alone means bytes, as in a Pod, and is mostly meant as something else. */
function leastBytes(field: string, least: string): Json {
  const bare = "string(self).matches('^[0-9]+$')";
  const asked = `'${field} is ' + string(self) + ' bytes, less than ${least}: did you mean ' + string(self) + 'Mi?'`;
  return {
    ...rule(
      `quantity(string(self)).compareTo(quantity('${least}')) >= 0`,
      `${field} is less than ${least}: a number alone means bytes, did you mean Mi (for example 512Mi)?`,
    ),
    messageExpression: `${bare} ? ${asked} : '${field} is ' + string(self) + ', less than ${least}'`,
  };
}

/**
 * What a resource says before an operator has written anything, which may be for ever: nobody else could say it where no
 * operator runs, or none serves the namespace.
 */
const unseenStatus = {
  conditions: [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: notSeenReason,
      message: `no operator has looked at it yet; if that stays so, check with \`kubectl maas doctor\` that one runs and serves this namespace`,
      lastTransitionTime: '1970-01-01T00:00:00Z',
    },
  ],
};

/** What the API server has to refuse by itself, because nobody else sees it in time. */
function addRules(spec: Json, status: Json): void {
  at(spec, 'name')['x-kubernetes-validations'] = [
    rule('self == oldSelf', 'spec.name cannot be changed: make another ModelDeployment for another model'),
    rule("self != '.' && self != '..' && self != 'zookeeper'", 'this name cannot be a znode'),
  ];
  at(spec, 'memory')['x-kubernetes-validations'] = [leastBytes('memory', '16Mi')];
  at(spec, 'disk')['x-kubernetes-validations'] = [leastBytes('disk', '1Mi')];
  at(spec, 'volumes')['x-kubernetes-validations'] = [
    rule(`self.all(volume, !(volume.name in [${ownVolumes.map((name) => `'${name}'`).join(', ')}]))`, volumeNameTaken),
    rule('self.all(volume, !has(volume.hostPath))', hostPathRefused),
  ];
  at(spec, 'volumeMounts')['x-kubernetes-validations'] = [
    rule(`self.all(mount, !mount.mountPath.matches('${refusedMountPath}'))`, mountPathRefused),
  ];
  addShieldRules(spec);
  at(spec, 'env')['x-kubernetes-list-type'] = 'map';
  at(spec, 'env')['x-kubernetes-list-map-keys'] = ['name'];
  for (const field of ['drain', 'stopTimeout']) {
    at(spec, field)['x-kubernetes-validations'] = [
      rule("!self.contains('h')", `${field} is counted in seconds or minutes`),
    ];
  }
  at(status, 'conditions')['x-kubernetes-list-type'] = 'map';
  at(status, 'conditions')['x-kubernetes-list-map-keys'] = ['type'];
}

function addShieldRules(spec: Json): void {
  const durationIn = (field: string, least: string, most: string) =>
    rule(
      `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
      `${field} is between ${least} and ${most}`,
    );
  at(spec, 'shield', 'timeLimit')['x-kubernetes-validations'] = [durationIn('timeLimit', '10ms', '10m')];
  at(spec, 'shield', 'queueTime')['x-kubernetes-validations'] = [durationIn('queueTime', '0ms', '10m')];
  at(spec, 'shield', 'cache', 'timeToLive')['x-kubernetes-validations'] = [durationIn('timeToLive', '1ms', '24h')];
  at(spec, 'shield', 'cache', 'size')['x-kubernetes-validations'] = [
    leastBytes('size', '64Ki'),
    rule("quantity(string(self)).compareTo(quantity('16Mi')) <= 0", 'the cache of a shield takes at most 16Mi'),
  ];
  spec['x-kubernetes-validations'] = [
    rule(
      '!has(self.shield) || !has(self.shield.mirror) || self.shield.mirror.version != self.version',
      'a mirror is of another version',
    ),
  ];
}

const column = (name: string, type: string, jsonPath: string, description: string, priority = 0) => ({
  name,
  type,
  jsonPath,
  description,
  ...(priority > 0 ? { priority } : {}),
});

/** What `kubectl get mdl` shows. */
const printerColumns = [
  column('Model', 'string', '.spec.name', 'The model, as Stellar names it'),
  column('Version', 'string', '.spec.version', 'The wanted version'),
  column('Desired', 'integer', '.spec.instances', 'Wanted instances'),
  column('Ready', 'integer', '.status.ready', 'Instances that answer'),
  column('Registered', 'integer', '.status.registered', 'Instances that clients see'),
  column('Updated', 'integer', '.status.updated', 'Instances that clients see and that run the present spec'),
  column('Serving', 'string', '.status.serving', 'The version that is served now'),
  column('Reason', 'string', '.status.conditions[?(@.type=="Ready")].reason', 'Why the model is, or is not, up'),
  column('Paused', 'boolean', '.spec.paused', 'Whether the operator is told to change nothing', 1),
  column('Age', 'date', '.metadata.creationTimestamp', 'Time since the resource was made'),
  column('Message', 'string', '.status.conditions[?(@.type=="Ready")].message', 'More about the reason', 1),
];

/** The CRD as a plain object, ready to be printed as YAML. */
export function customResourceDefinition(): Json {
  const spec = structural(modelDeploymentSpec);
  const status = structural(modelDeploymentStatus);
  addRules(spec, status);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: 'modeldeployment',
        shortNames: ['mdl'],
        categories: ['maas'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.instances',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: printerColumns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description:
                'A model that runs from a payload in HDFS and is registered in ZooKeeper for Stellar clients.',
              required: ['spec'],
              'x-kubernetes-validations': [
                rule(
                  `size(self.metadata.name) <= ${maxResourceName}`,
                  `metadata.name is longer than ${maxResourceName} characters`,
                ),
              ],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: { ...spec, description: 'What is wanted.' },
                status: { ...status, description: 'What is. Written by the operator.', default: unseenStatus },
              },
            },
          },
        },
      ],
    },
  };
}
