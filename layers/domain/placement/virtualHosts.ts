import type { Host } from '../model/host.ts';
import type { CapacityOrder } from '../model/pool.ts';
import { amountOf, type Resources } from '../model/resources.ts';

/**
 * Hosts that open orders are still to bring, as hosts that boot, so that no pass buys for their tasks again. EC2 may take
 * any of an order's offers, hence each promises only what all of them hold.
 */
export function hostsOnOrder({
  openOrders,
  hosts: known,
}: {
  readonly openOrders: readonly CapacityOrder[];
  readonly hosts: readonly Host[];
}): Host[] {
  const hosts: Host[] = [];
  for (const order of openOrders) {
    if (order.state !== 'OPEN') continue;
    const [first, ...others] = order.offers;
    if (first === undefined) continue;
    const capacity = others.reduce((least, offer) => leastOf(least, offer.capacity), first.capacity);
    // Whoever carries it out may have been cut off after some of its hosts were on record.
    const brought = known.filter(({ orderId }) => orderId === order.orderId).length;
    for (let n = brought; n < order.hosts; n += 1) {
      hosts.push({
        hostId: `${order.orderId}/${n}`,
        cluster: order.cluster,
        pool: order.pool,
        instanceType: first.instanceType,
        zone: first.zone,
        lifecycle: order.lifecycle,
        architecture: first.architecture,
        usdPerHour: first.usdPerHour,
        state: 'BOOTING',
        stateReason: order.reason,
        epoch: 0,
        capacity,
        left: capacity,
        ports: [],
        claims: {},
        attributes: unknownAttributes,
        orderId: order.orderId,
        launchedAt: order.createdAt,
      });
    }
  }
  return hosts;
}

const unknownAttributes: Readonly<Record<string, string>> = {};

function leastOf(a: Resources, b: Resources): Resources {
  if (a === b) return a;
  const least: Record<string, number> = {};
  for (const dimension of Object.keys(a)) {
    least[dimension] = Math.min(amountOf(a, dimension), amountOf(b, dimension));
  }
  return least;
}
