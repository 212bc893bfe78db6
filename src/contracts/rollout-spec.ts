/** `spec.rollout`: how versions follow one another; see docs/adr/0043. */
import { z } from 'zod';
import { duration, intOrPercent } from './spec-fields.ts';

export const rollout = z.object({
  strategy: z
    .enum(['Switch', 'Surge', 'Immediate'])
    .optional()
    .describe(
      'How another version takes the place of the one that serves. Switch (default): its instances start beside the old ones, are registered together when all answer, and only then the old ones go. Surge: the same with one instance more than wanted at a time, for a cluster without room for two sets; half of the instances serve meanwhile. Immediate: each instance is registered as soon as it answers, as on YARN.',
    ),
  minReady: intOrPercent(
    'How many instances must answer before they are registered and the old ones go: a number or a percentage. Default: all.',
  ).optional(),
  warmup: z
    .object({
      function: z
        .string()
        .min(1)
        .max(1_024)
        .optional()
        .describe('Name of the function, as clients give it. Default: apply.'),
      arguments: z.record(z.string(), z.string()).optional().describe('Names and values, as clients give them.'),
      expect: z
        .object({
          status: z.int().min(100).max(599).optional().describe('HTTP status of the answer. Default 200.'),
          fields: z
            .record(z.string(), z.string())
            .optional()
            .describe('Fields of the answer that must be there, and their values as text.'),
        })
        .optional()
        .describe('What the answer must be.'),
      timeLimit: duration('How long one call may take. Default 10s.').optional(),
    })
    .optional()
    .describe(
      'A call that must succeed on each instance, made as clients make it, before it counts as up. It is repeated until it does; an instance on which it has not succeeded within startupTimeout is restarted.',
    ),
  deadline: duration(
    'How long a version may take until it has taken the place of the one before; then the resource is Stalled, and the old version goes on serving. Default 30m.',
  ).optional(),
});
