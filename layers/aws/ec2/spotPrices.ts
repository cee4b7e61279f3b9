import { type _InstanceType, DescribeSpotPriceHistoryCommand } from '@aws-sdk/client-ec2';
import { allPages, chunks } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ec2 } from './ec2.ts';

const MAX_TYPES = 100;

/**
 * The present Spot price of each type, USD per hour: the lowest of the zones, which is where a fleet that may choose goes.
 * A type that is not sold as Spot in any of the zones is absent.
 */
export async function readSpotPrices(
  ec2: Ec2,
  names: readonly string[],
  zones: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const now = new Date(ec2.clock.now());
  const lowest = new Map<string, number>();
  for (const batch of chunks(names, MAX_TYPES)) {
    const found = await allPages(async (token) => {
      const input = {
        InstanceTypes: batch as _InstanceType[],
        ProductDescriptions: ['Linux/UNIX'],
        Filters: [{ Name: 'availability-zone', Values: [...zones] }],
        // With both at the same moment the history is one entry, the price that holds.
        StartTime: now,
        EndTime: now,
        ...(token && { NextToken: token }),
      };
      const answer = await repeatRead(ec2.sleep, () =>
        ec2.client.send(new DescribeSpotPriceHistoryCommand(input)),
      );
      return { items: answer.SpotPriceHistory ?? [], next: answer.NextToken };
    });
    for (const { InstanceType: name, SpotPrice } of found) {
      const price = Number(SpotPrice);
      if (name === undefined || !(price > 0)) continue;
      lowest.set(name, Math.min(price, lowest.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  return lowest;
}
