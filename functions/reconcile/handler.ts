import type { Context } from 'aws-lambda';
import { declareClusters } from '../../layers/control/declareClusters.ts';
import { reconcileCluster } from '../../layers/control/reconcile/reconcileCluster.ts';
import type { Repairs } from '../../layers/control/reconcile/repairs.ts';
import type { Cluster } from '../../layers/domain/model/pool.ts';
import type { Wakes } from '../../layers/ports/bus.ts';
import type { Deps } from '../../layers/runtime/deps.ts';

/** Every minute, and whenever an operator invokes it: each cluster is compared and mended; one's failure leaves the others. */
export function createHandler(
  deps: Omit<Deps, 'deadLetters' | 'bus'> & { readonly bus: Wakes },
  clusters: readonly Cluster[] = [],
) {
  const declared = declareClusters(deps, clusters);
  return async (_event: unknown, _context: Context): Promise<Record<string, Repairs>> => {
    await declared();
    const repaired: Record<string, Repairs> = {};
    const failures: unknown[] = [];
    for (const name of await deps.store.listClusters()) {
      try {
        const cluster = await deps.store.getCluster(name);
        if (cluster) repaired[name] = await reconcileCluster(deps, cluster);
      } catch (error) {
        failures.push(error);
        deps.log.error('A cluster could not be reconciled', {
          cluster: name,
          error: error instanceof Error ? error : new Error(String(error)),
        });
      }
    }
    if (failures.length > 0) throw failures[0];
    return repaired;
  };
}
