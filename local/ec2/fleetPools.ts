import type { FleetLaunchTemplateOverridesRequest, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Capacity } from './capacity.ts';
import { missing } from './errors.ts';
import { instanceTypes } from './instanceTypes.ts';
import { zonesFor } from './launchData.ts';
import type { Zone } from './network.ts';
import type { LaunchTemplateRecord, Lifecycle } from './records.ts';
import { spotPrice } from './spotPrices.ts';

/** A template as one configuration of a fleet names it. */
export interface FleetTemplate {
  readonly record: LaunchTemplateRecord;
  readonly version: number;
  readonly data: RequestLaunchTemplateData;
}

/** One (type, zone) that a fleet may buy from, of one override. */
export interface FleetPool {
  readonly template: FleetTemplate;
  /** Undefined when the template stands for itself. */
  readonly override: FleetLaunchTemplateOverridesRequest | undefined;
  readonly instanceType: string;
  readonly zone: Zone;
  readonly weight: number;
  /** Lower is preferred; infinite when the override has none. */
  readonly priority: number;
}

/** An override without subnet or zone may go to any default subnet: one pool each. */
export function poolsOf(
  template: FleetTemplate,
  overrides: readonly FleetLaunchTemplateOverridesRequest[],
): FleetPool[] {
  const [network] = template.data.NetworkInterfaces ?? [];
  return (overrides.length > 0 ? overrides : [undefined]).flatMap((override) => {
    const instanceType = override?.InstanceType ?? template.data.InstanceType;
    if (instanceType === undefined) throw missing('InstanceType');
    const zoneName = override?.AvailabilityZone ?? override?.Placement?.AvailabilityZone;
    const subnetId = override?.SubnetId ?? (zoneName === undefined ? network?.SubnetId : undefined);
    return zonesFor(subnetId, zoneName).map((zone) => ({
      template,
      override,
      instanceType,
      zone,
      weight: override?.WeightedCapacity ?? 1,
      priority: override?.Priority ?? Number.POSITIVE_INFINITY,
    }));
  });
}

export function priceOf(pool: FleetPool, lifecycle: Lifecycle, nowMs: number): number {
  const type = instanceTypes.get(pool.instanceType);
  if (type === undefined) return Number.POSITIVE_INFINITY;
  return lifecycle === 'spot' ? spotPrice(type, pool.zone.name, nowMs) : type.usdPerHour;
}

/** How much deeper than what is asked a Spot pool is thought of as equally safe. */
const DEEP_ENOUGH = 4;

/**
 * The pools in the order a strategy tries them. Prices are per unit of weight.
 * - `lowest-price`: cheapest first
 * - `prioritized`: as numbered
 * - `capacity-optimized`: deepest first; `-prioritized`: of the deep ones, as numbered
 * - `price-capacity-optimized`: of the deep ones, cheapest first
 * - `diversified`: cheapest first, dealt out in turn by the caller
 */
export function order(
  pools: readonly FleetPool[],
  strategy: string,
  lifecycle: Lifecycle,
  target: number,
  capacity: Capacity,
  nowMs: number,
): FleetPool[] {
  const unitPrice = (pool: FleetPool): number => priceOf(pool, lifecycle, nowMs) / pool.weight;
  const enough = target * DEEP_ENOUGH || 1;
  const depth = (pool: FleetPool): number =>
    Math.min(capacity.left(pool.instanceType, pool.zone.name, lifecycle), enough);
  const byPriority = (a: FleetPool, b: FleetPool): number =>
    a.priority === b.priority ? 0 : a.priority - b.priority;
  const byPrice = (a: FleetPool, b: FleetPool): number => unitPrice(a) - unitPrice(b);
  const byDepth = (a: FleetPool, b: FleetPool): number => depth(b) - depth(a);
  const comparisons: Readonly<Record<string, readonly ((a: FleetPool, b: FleetPool) => number)[]>> = {
    prioritized: [byPriority, byPrice],
    'capacity-optimized': [byDepth, byPrice],
    'capacity-optimized-prioritized': [byDepth, byPriority, byPrice],
    'price-capacity-optimized': [byDepth, byPrice],
  };
  const chain = comparisons[strategy] ?? [byPrice];
  return [...pools].sort((a, b) => {
    for (const compare of chain) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}
