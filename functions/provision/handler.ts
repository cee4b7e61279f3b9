import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type PurchaseWorld, purchase } from '../../layers/control/purchase.ts';
import { processWakes } from '../../layers/runtime/wakeBatch.ts';

/** Asks for capacity, merged: one purchase a cluster and batch. */
export function createHandler(deps: PurchaseWorld) {
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processWakes(deps, event, context, async (cluster, { taskIds }) => {
      const report = await purchase(deps, cluster, taskIds);
      deps.log.info('Purchase', { cluster, ...report });
      if (report.again) await deps.bus.provision(cluster, 'EC2 had less than was ordered', { taskIds });
    });
}
