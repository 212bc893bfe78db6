/** What the agent needs of the world around it. The composition root hands it in. */

/** The volumes of a pod; see `paths` of the contract. */
export interface Directories {
  readonly payload: string;
  readonly control: string;
  readonly session: string;
}

/** Who this pod is, from the downward API. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly ip: string;
  readonly nodeIp: string;
  readonly nodeName: string;
}
