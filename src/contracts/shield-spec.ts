/** `spec.shield`: what stands before a model; see docs/adr/0046. */
import { z } from 'zod';
import { duration, quantity, visibleTextPattern } from './spec-fields.ts';

/** Of a shield that says nothing else; see also plan/shield-instructions.ts. */
export const mostInFlight = 128;

export const shield = z.object({
  timeLimit: duration(
    'How long a call may take in all, from its arrival to the last byte of its answer: 10ms to 10m. Default 10s.',
  ).optional(),
  maxInFlight: z
    .int()
    .min(1)
    .max(mostInFlight)
    .optional()
    .describe('How many calls are at the model at once; 1 for a model that serves one connection. Default 32.'),
  maxQueued: z
    .int()
    .min(0)
    .max(1_024)
    .optional()
    .describe('How many more may wait for a place; what comes then is refused at once. Default 128.'),
  queueTime: duration('How long a call may wait for a place, at most 10m. Default 1s.').optional(),
  onError: z
    .enum(['NoContent', 'Close'])
    .optional()
    .describe(
      'What clients get in place of an answer that would break them. NoContent (default): 204. Close: a closed connection, on which a Stellar client calls the same instance again, up to three times.',
    ),
  cache: z
    .object({
      size: quantity(
        'How much memory the answers may take, at most 16Mi; an answer above 64Ki is never kept. Default 8Mi.',
        'IntOrString',
      ).optional(),
      timeToLive: duration('How long an answer is served again: 1ms to 24h. Default 1m.').optional(),
    })
    .optional()
    .describe(
      'Answers of 200 to a GET are kept and served again for the same query; the same query at the same time is asked once.',
    ),
  mirror: z
    .object({
      version: z
        .string()
        .min(1)
        .max(128)
        .regex(new RegExp(visibleTextPattern))
        .describe('Version of the same model whose registered instances get the copies.'),
      percent: z.int().min(1).max(100).describe('How many of a hundred calls are copied.'),
    })
    .optional()
    .describe(
      'Copies of a share of the calls go to another version; the answers are compared and counted. Nobody waits for them.',
    ),
});
