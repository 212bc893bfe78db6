/** Something that is due later, unless it is called off. A shield has one for each call, so it is not a promise. */

export interface Timer {
  /** @returns calls it off; may be called again, and after it was due */
  after(ms: number, due: () => void): () => void;
}

export const systemTimer: Timer = {
  after(ms, due) {
    const timer = setTimeout(due, ms);
    return () => clearTimeout(timer);
  },
};
