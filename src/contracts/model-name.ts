import { z } from 'zod';

/** A model name is a znode's name, so no slash; control characters would reach terminals. */
const pattern = '^[^/\\x00-\\x1f\\x7f]+$';
/** ZooKeeper refuses these too; the API server's regular expressions cannot say it in the same letters. */
const refusedByZooKeeper = /[\u0080-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** The model, as Stellar names it. */
export const modelName = z
  .string()
  .min(1)
  .max(128)
  .regex(new RegExp(pattern))
  .refine((name) => !refusedByZooKeeper.test(name), 'has a character that ZooKeeper refuses in the name of a node');
