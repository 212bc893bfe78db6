/** Exactly this object in exactly this state: what a write is made on condition of. */
export interface ObjectState {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}
