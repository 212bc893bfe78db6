/** What fields of the resource are made of. */
import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { quantityPattern } from './quantity.ts';

export const visibleTextPattern = '^[^\\x00-\\x1f\\x7f]+$';

const noQuantity = 'is no quantity, such as 2, 0.5, 500m or 512Mi';
/**
 * A quantity as a Pod takes it, with quotes or without; the parsed form is always the text. See crd.ts for what the two
 * kinds become there.
 */
export const quantity = (description: string, kind: 'IntOrString' | 'NumberOrString') =>
  z
    .union(
      [z.string().max(32).regex(new RegExp(quantityPattern), noQuantity), z.number().min(0, noQuantity)],
      noQuantity,
    )
    .transform(String)
    .describe(description)
    .meta({ quantity: kind });
/** As maxUnavailable of a PodDisruptionBudget, and never 0: that would hold up the drain of a node for ever. */
export const intOrPercent = (description: string) =>
  z
    .union([z.int().min(1), z.string().regex(/^[1-9][0-9]{0,2}%$/)], {
      error: 'is neither a number of at least 1 nor a percentage',
    })
    .describe(description)
    .meta({ intOrPercent: true });
export const amounts = (description: string) =>
  z.record(z.string(), quantity('An amount, as in a Pod.', 'NumberOrString')).describe(description);
export const duration = (description: string) =>
  z.string().max(32).regex(new RegExp(durationPattern)).describe(description);
export const objectName = (description: string) => z.string().min(1).max(253).describe(description);
/** Passed on to the pod as it is; the API server checks it when the Deployment is applied. */
export const opaque = (description: string) =>
  z.record(z.string(), z.unknown()).describe(description).meta({ opaque: true });
