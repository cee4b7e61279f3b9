import type { Host, HostState } from '../../domain/model/host.ts';
import type { Containers } from '../../ports/containers.ts';
import type { World } from '../world.ts';

export type Drained =
  | { readonly outcome: 'draining'; readonly host: Host; readonly moved: number; readonly staying: number }
  | { readonly outcome: 'refused'; readonly host: Host }
  | { readonly outcome: 'unknown' };

export interface DrainGuards {
  /** The states from which it may be drained. */
  readonly from?: readonly HostState[];
  readonly epoch?: number;
  /** Asked of the host as it is when nothing new can be placed on it any more; if not, it is READY again. */
  readonly onlyIf?: (host: Host) => boolean;
}

/**
 * Takes a host out of service: nothing new is placed on it, `interruptible` tasks are stopped and placed again, the
 * others run to their end, and the empty host is given back. Whatever this leaves undone when it is cut off,
 * `reconcileClaims` does.
 */
export async function drainHost(
  world: Pick<World, 'store' | 'bus'> & { readonly containers: Pick<Containers, 'stop'> },
  cluster: string,
  hostId: string,
  detail: string,
  { from = ['READY', 'CORDONED', 'DRAINING'], epoch, onlyIf = () => true }: DrainGuards = {},
): Promise<Drained> {
  const { store, containers, bus } = world;
  const changed = await store.setHostState(cluster, hostId, {
    from,
    to: 'DRAINING',
    reason: detail,
    ...(epoch !== undefined && { epoch }),
  });
  if (changed.outcome === 'refused') {
    return changed.current ? { outcome: 'refused', host: changed.current } : { outcome: 'unknown' };
  }
  const host = changed.current;
  if (!onlyIf(host)) {
    await store.setHostState(cluster, hostId, {
      from: ['DRAINING'],
      to: 'READY',
      reason: 'kept: a task that has to stay came to it',
      epoch: host.epoch,
    });
    return { outcome: 'refused', host };
  }
  let moved = 0;
  for (const task of await store.getTasks(Object.keys(host.claims))) {
    if (!task.spec.interruptible || task.hostId !== hostId) continue;
    const request = { code: 'PREEMPTED', detail: `moved off ${hostId}, ${detail}` } as const;
    const asked = await store.requestStop(task.taskId, request, task.attempt);
    const arn = asked.current?.attempt === task.attempt ? asked.current.ecsTaskArn : undefined;
    if (arn !== undefined) await containers.stop(cluster, arn, request.detail);
    moved += 1;
  }
  await bus.wake(cluster, `drain of ${hostId}`);
  return { outcome: 'draining', host, moved, staying: Object.keys(host.claims).length - moved };
}
