import type { Cluster } from '../domain/model/pool.ts';
import type { World } from './world.ts';

/**
 * Puts the clusters that the deployment declares on record, once per process, so that the first event of a new stack
 * finds its cluster. What is on record already is left as it is. A failure is thrown and tried again at the next call.
 */
export function declareClusters(
  world: Pick<World, 'store'>,
  declared: readonly Cluster[],
): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= Promise.all(declared.map((cluster) => world.store.ensureCluster(cluster))).then(
      () => {},
      (error: unknown) => {
        done = undefined;
        throw error;
      },
    );
    return done;
  };
}
