/** How an agent is asked over HTTP. Apart from the rest of the contract, because an agent listens before it loads that. */

/** Container port of the agent in a pod with a network of its own. */
export const agentPort = 8099;

export const agentPaths = {
  status: '/status',
  ready: '/readyz',
  /** The same for the kubelet's probe, which is kept waiting until the instance is ready for the first time. */
  readyHeld: '/readyz/held',
  modelLive: '/livez/model',
  metrics: '/metrics',
} as const;

/**
 * How the kubelet asks for an instance's readiness. The answer is held back until the instance is ready for the first
 * time, so that nobody waits for the next period, but not so long that the kubelet gives up. What was ready once is
 * answered at once.
 */
export const readinessProbe = { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 3 } as const;
export const probeHeldMs = 4_000;
