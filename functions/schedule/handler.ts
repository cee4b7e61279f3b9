import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type PassWorld, schedulePass } from '../../layers/control/schedulePass.ts';
import { processWakes } from '../../layers/runtime/wakeBatch.ts';

/** Wakes, merged: however many ask, a cluster gets one pass a batch. */
export function createHandler(deps: PassWorld) {
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processWakes(deps, event, context, async (cluster, taskIds) => {
      const report = await schedulePass(deps, cluster, taskIds);
      deps.log.info('Pass', { cluster, ...report });
    });
}
