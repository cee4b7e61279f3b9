import { createHash } from 'node:crypto';
import type {
  DescribeSpotPriceHistoryCommandInput,
  DescribeSpotPriceHistoryCommandOutput,
  _InstanceType as InstanceTypeName,
  SpotPrice,
} from '@aws-sdk/client-ec2';
import { matchesFilters, parseFilters } from './filters.ts';
import { type InstanceType, instanceTypes } from './instanceTypes.ts';
import { zones } from './network.ts';
import { pageBounds } from './pages.ts';

/** Spot prices move a few times a day. */
const PERIOD_MS = 6 * 3_600_000;
/** EC2 keeps 90 days. */
const MAX_PERIODS = (90 * 24) / 6;

/** Evenly spread over 0..1, and the same for the same text everywhere. */
const share = (text: string): number =>
  createHash('sha256').update(text).digest().readUInt32BE(0) / 0xffff_ffff;

const discounts = new Map<string, number>();

/** Share of the On-Demand price in a (type, zone), between 25% and 55%: the range most of us-east-1 lies in. */
function discountOf(type: string, zone: string): number {
  const key = `${type}/${zone}`;
  const known = discounts.get(key) ?? 0.25 + 0.3 * share(key);
  discounts.set(key, known);
  return known;
}

/**
 * The Spot price of a (type, zone) in USD per hour: a share of its On-Demand price that is fixed for the pair and moves by
 * up to 5% either way every six hours. A model, not a record: deterministic, cheaper than On-Demand, different by zone.
 */
export function spotPrice(type: InstanceType, zone: string, timeMs: number): number {
  const period = Math.floor(timeMs / PERIOD_MS);
  const drift = 0.95 + 0.1 * share(`${type.name}/${zone}/${period}`);
  return Number((type.usdPerHour * discountOf(type.name, zone) * drift).toFixed(6));
}

/** The price in force at `StartTime` and every change after it, newest first, Linux only. */
export function describeSpotPriceHistory(
  input: DescribeSpotPriceHistoryCommandInput,
  nowMs: number,
): Omit<DescribeSpotPriceHistoryCommandOutput, '$metadata'> {
  const filters = parseFilters(input.Filters, ['availability-zone', 'instance-type', 'product-description']);
  const products = input.ProductDescriptions ?? [];
  if (products.length > 0 && !products.some((product) => product.startsWith('Linux/UNIX'))) {
    return { SpotPriceHistory: [] };
  }
  const untilMs = Math.min(input.EndTime?.getTime() ?? nowMs, nowMs);
  const last = Math.floor(untilMs / PERIOD_MS);
  const first = Math.max(Math.floor((input.StartTime?.getTime() ?? 0) / PERIOD_MS), last - MAX_PERIODS);
  const wantedTypes = input.InstanceTypes ?? [];
  const pools: { readonly type: InstanceType; readonly zone: string }[] = [];
  for (const type of instanceTypes.values()) {
    if (wantedTypes.length > 0 && !wantedTypes.includes(type.name as InstanceTypeName)) continue;
    for (const { name: zone } of zones) {
      if (input.AvailabilityZone !== undefined && input.AvailabilityZone !== zone) continue;
      const fields = {
        'availability-zone': [zone],
        'instance-type': [type.name],
        'product-description': ['Linux/UNIX'],
      };
      if (matchesFilters(filters, fields)) pools.push({ type, zone });
    }
  }
  const periods = Math.max(0, last - first + 1);
  const page = pageBounds(pools.length * periods, input, 1000);
  const items: SpotPrice[] = [];
  for (let index = page.from; index < page.to; index++) {
    const pool = pools[index % pools.length];
    const period = last - Math.floor(index / pools.length);
    if (pool !== undefined) items.push(entry(pool.type, pool.zone, period));
  }
  return { SpotPriceHistory: items, NextToken: page.nextToken };
}

const entry = (type: InstanceType, zone: string, period: number): SpotPrice => ({
  AvailabilityZone: zone,
  InstanceType: type.name as InstanceTypeName,
  ProductDescription: 'Linux/UNIX',
  SpotPrice: spotPrice(type, zone, period * PERIOD_MS).toFixed(6),
  Timestamp: new Date(period * PERIOD_MS),
});
