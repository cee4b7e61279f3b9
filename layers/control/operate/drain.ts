import type { Host } from '../../domain/model/host.ts';
import type { Wakes } from '../../ports/bus.ts';
import type { World } from '../world.ts';

export type Drained =
  | { readonly outcome: 'draining'; readonly host: Host; readonly moved: number; readonly staying: number }
  | { readonly outcome: 'refused'; readonly host: Host }
  | { readonly outcome: 'unknown' };

/**
 * Takes a host out of service: nothing new is placed on it, `interruptible` tasks are stopped and placed again, the
 * others run to their end, and the empty host is given back.
 */
export async function drainHost(
  world: Pick<World, 'store' | 'containers'> & { readonly bus: Wakes },
  cluster: string,
  hostId: string,
  detail: string,
): Promise<Drained> {
  const { store, containers, bus } = world;
  const changed = await store.setHostState(cluster, hostId, {
    from: ['READY', 'CORDONED', 'DRAINING'],
    to: 'DRAINING',
    reason: detail,
  });
  if (changed.outcome === 'refused') {
    return changed.current ? { outcome: 'refused', host: changed.current } : { outcome: 'unknown' };
  }
  const host = changed.current;
  let moved = 0;
  for (const task of await store.getTasks(Object.keys(host.claims))) {
    if (!task.spec.interruptible || task.hostId !== hostId) continue;
    const asked = await store.requestStop(task.taskId, { code: 'PREEMPTED', detail });
    const arn = asked.current?.ecsTaskArn;
    if (arn !== undefined) await containers.stop(cluster, arn, detail);
    moved += 1;
  }
  await bus.wake(cluster, `drain of ${hostId}`);
  return { outcome: 'draining', host, moved, staying: Object.keys(host.claims).length - moved };
}
