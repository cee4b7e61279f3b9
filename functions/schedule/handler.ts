import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { PassMemory } from '../../layers/control/passMemory.ts';
import { schedulePass } from '../../layers/control/schedulePass.ts';
import type { PassWorld } from '../../layers/control/world.ts';
import { processWakes } from '../../layers/runtime/wakeBatch.ts';

/** Wakes, merged: however many ask, a cluster gets one pass a batch. `memory` lasts as long as the process. */
export function createHandler(deps: PassWorld, memory: PassMemory = new PassMemory()) {
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processWakes(deps, event, context, async (cluster, { taskIds, ...about }) => {
      const report = await schedulePass(deps, cluster, taskIds, { ...about, memory });
      deps.log.info('Pass', { cluster, ...report });
    });
}
