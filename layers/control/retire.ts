import type { Host } from '../domain/model/host.ts';
import type { ScaleInPlan } from '../domain/model/plan.ts';
import type { World } from './world.ts';

/**
 * Takes idle hosts out of service, each only while it is still empty (a claim made meanwhile wins), and asks for them
 * to be given back. Returns those that were taken.
 */
export async function retireHosts(
  world: Pick<World, 'store' | 'log' | 'bus'>,
  cluster: string,
  plan: ScaleInPlan,
): Promise<readonly Host[]> {
  const retired: Host[] = [];
  for (const { hostId, epoch, reason } of plan.retire) {
    const change = await world.store.setHostState(cluster, hostId, {
      from: ['READY', 'CORDONED', 'DRAINING'],
      to: 'TERMINATING',
      reason,
      epoch,
      ifEmpty: true,
    });
    if (change.outcome === 'applied') {
      retired.push(change.current);
      world.log.info('An idle host is given back', { cluster, hostId, reason });
    }
  }
  if (retired.length === 0) return retired;
  await world.bus.provision(cluster, `${retired.length} hosts to give back`);
  return retired;
}
