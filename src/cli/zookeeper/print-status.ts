/** `status` in its formats. Pure. */

import type { Reason } from '../../contracts/reasons.ts';
import { visible } from '../../kernel/shown-text.ts';
import { type Colour, paint } from '../output/colour.ts';
import { reasonCell } from '../output/model-view.ts';
import { type OutputFormat, printAs } from '../output/output-format.ts';
import { type Cell, type Column, cell, printTable, printWhole } from '../output/print-table.ts';
import type { Look } from '../ports.ts';
import type { ResourceView, StatusView, VersionView } from './status-view.ts';

export function printStatus(view: StatusView, format: OutputFormat | undefined, options: Look): string {
  return printAs(format, view, {
    name: () => view.items.map(({ model, version }) => `${visible(`${model} ${version}`)}\n`).join(''),
    table: (wide) => {
      const lines = view.items.flatMap((item) => rows(item, wide, options.colour));
      return (wide ? printWhole : printTable)(wide ? [...columns, ...wideColumns] : columns, lines, options.width);
    },
  });
}

const columns: readonly Column[] = [
  { heading: 'MODEL' },
  { heading: 'VERSION' },
  { heading: 'SERVED', spare: 1 },
  { heading: 'RESOURCE', spare: 3 },
  { heading: 'DESIRED' },
  { heading: 'READY', spare: 2 },
  { heading: 'REGISTERED' },
  { heading: 'FOREIGN' },
  { heading: 'REASON' },
];
const wideColumns: readonly Column[] = [{ heading: 'OTHER-CLUSTER' }, { heading: 'FOREIGN-ENDPOINTS' }];

/** A line for each resource; one where there is none, or where there is one only, which is nearly always. */
function rows(item: VersionView, wide: boolean, colour: boolean): readonly (readonly Cell[])[] {
  const resources = item.resources.length === 0 ? [undefined] : item.resources;
  return resources.map((resource, index) => {
    const cells: Cell[] = [
      cell(item.model),
      cell(item.version),
      { text: item.served ? 'yes' : '-', paint: (text) => paint({ colour }, item.served ? 'green' : undefined, text) },
      cell(resource && `${resource.namespace}/${resource.resource}`),
      cell(resource?.desired),
      cell(resource?.ready),
      // Once for all of its resources.
      cell(index === 0 ? item.registered.here : undefined),
      cell(index === 0 ? item.registered.foreign : undefined),
      { text: reasonOf(item, resource), paint: (text) => paint({ colour }, colourOf(item), text) },
    ];
    if (!wide) return cells;
    if (index > 0) return [...cells, cell(undefined), cell(undefined)];
    return [...cells, cell(item.registered.otherCluster), cell(foreignUrls(item).join(',') || undefined)];
  });
}

function foreignUrls({ endpoints }: VersionView): string[] {
  const foreign = endpoints.filter(({ owner }) => owner === 'foreign').map(({ url }) => url ?? '-');
  return [...new Set(foreign)];
}

/** Why there is no resource where there is none. */
function reasonOf({ registered }: VersionView, resource: ResourceView | undefined): string {
  if (resource !== undefined) return reasonCell(resource);
  const reason: Reason = registered.otherCluster > 0 ? 'OtherCluster' : 'NoResource';
  return registered.foreign > 0 ? ('Foreign' satisfies Reason) : reason;
}

function colourOf({ resources, registered }: VersionView): Colour | undefined {
  const desired = resources.reduce((sum, { desired: wanted }) => sum + wanted, 0);
  if (resources.length === 0) return undefined;
  return registered.here >= desired ? 'green' : 'yellow';
}
