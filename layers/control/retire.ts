import type { ScaleInPlan } from '../domain/model/plan.ts';
import type { World } from './world.ts';

/**
 * Takes idle hosts out of service, each only while it is still empty (a claim made meanwhile wins), and asks for them
 * to be given back. Returns how many were taken.
 */
export async function retireHosts(
  world: Pick<World, 'store' | 'bus' | 'log'>,
  cluster: string,
  plan: ScaleInPlan,
): Promise<number> {
  let retired = 0;
  for (const { hostId, epoch, reason } of plan.retire) {
    const change = await world.store.setHostState(cluster, hostId, {
      from: ['READY', 'CORDONED', 'DRAINING'],
      to: 'TERMINATING',
      reason,
      epoch,
      ifEmpty: true,
    });
    if (change.outcome === 'applied') {
      retired += 1;
      world.log.info('An idle host is given back', { cluster, hostId, reason });
    }
  }
  for (const { hostId, epoch, reason } of plan.drain) {
    await world.store.setHostState(cluster, hostId, { from: ['READY'], to: 'DRAINING', reason, epoch });
  }
  if (retired > 0) await world.bus.provision(cluster, `${retired} hosts to give back`);
  return retired;
}
