import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { IdleGaps } from '../../layers/control/idleGaps.ts';
import { schedulePass } from '../../layers/control/schedulePass.ts';
import type { PassWorld } from '../../layers/control/world.ts';
import { processWakes } from '../../layers/runtime/wakeBatch.ts';

/** Wakes, merged: however many ask, a cluster gets one pass a batch. */
export function createHandler(deps: PassWorld) {
  const gaps = new IdleGaps();
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processWakes(deps, event, context, async (cluster, taskIds) => {
      const report = await schedulePass(deps, cluster, taskIds, gaps);
      deps.log.info('Pass', { cluster, ...report });
    });
}
