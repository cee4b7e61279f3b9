import type { Host } from '../model/host.ts';

export interface HostCost {
  readonly billedSeconds: number;
  readonly usd: number;
}

/** EC2 bills Linux instances by the second and at least one minute (EC2 User Guide, "On-Demand Instances"). */
const LEAST_SECONDS = 60;

/**
 * What a host cost from its purchase to its end (both epoch ms) at the price it was bought at. EC2 begins to bill some
 * seconds later, when the instance is `running`; a Spot price may have moved since; volumes and traffic are not in it.
 */
export function hostCost(
  { usdPerHour, launchedAt }: Pick<Host, 'usdPerHour' | 'launchedAt'>,
  endedAt: number,
): HostCost {
  const billedSeconds = Math.max(LEAST_SECONDS, Math.ceil((endedAt - launchedAt) / 1000));
  return { billedSeconds, usd: Math.round(usdPerHour * billedSeconds * (1e6 / 3600)) / 1e6 };
}
