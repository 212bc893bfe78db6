/**
 * Who decides how many instances there are, where an autoscaler follows the load of a resource. Pure.
 *
 * 1. Within its bounds the autoscaler decides: any other number would be undone the next time it looks. So it is left.
 * 2. A number outside of its bounds is refused: it would be undone, too, and whoever asks means that there be so many.
 * 3. An autoscaler does nothing about a resource with no instances. Whoever starts that one again starts it with at least
 *    as many as the autoscaler would.
 */

/** A HorizontalPodAutoscaler. */
export interface Autoscaler {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export type Share =
  | { readonly kind: 'set'; readonly instances: number }
  | { readonly kind: 'left'; readonly autoscaler: Autoscaler }
  | { readonly kind: 'outside'; readonly autoscaler: Autoscaler };

/**
 * @param present instances there are
 * @param wanted instances there should be, at least one
 */
export function shareOf(present: number, wanted: number, autoscaler: Autoscaler | undefined): Share {
  if (autoscaler === undefined || wanted === present) return { kind: 'set', instances: wanted };
  const { min, max } = autoscaler;
  if (wanted > max || (wanted < min && present > 0)) return { kind: 'outside', autoscaler };
  return present === 0 ? { kind: 'set', instances: Math.max(min, wanted) } : { kind: 'left', autoscaler };
}

/** `HorizontalPodAutoscaler dga, which keeps between 2 and 5 instances` */
export function shownAutoscaler({ name, min, max }: Autoscaler): string {
  return `HorizontalPodAutoscaler ${name}, which keeps between ${min} and ${max} instances`;
}
