import type { TaskStore } from '../ports/store.ts';
import { attemptIn, isAttemptIn, joinQueue, moveTask } from './moveTask.ts';
import type { Table } from './tableAccess.ts';

export const queueTask =
  (table: Table): TaskStore['queueTask'] =>
  (taskId) =>
    moveTask(table, taskId, (update) => {
      joinQueue(update);
      const pending = update.equals(update.path('state'), 'PENDING');
      return `${pending} AND attribute_not_exists(${update.path('gsiPk')})`;
    });

/** The reason itself is part of the condition, so that repeating a pass over a full cluster moves no stream record. */
export const recordWait =
  (table: Table): TaskStore['recordWait'] =>
  async (ref, reason) => {
    const moved = await moveTask(table, ref.taskId, (update) => {
      update.set(update.path('reason'), reason);
      joinQueue(update);
      const news = `${update.path('reason')} <> ${update.value(reason)}`;
      const changed = `(${news} OR attribute_not_exists(${update.path('gsiPk')}))`;
      return `${attemptIn(update, ref, ['PENDING'])} AND ${changed}`;
    });
    // Everything but the reason's novelty held: it is on record already.
    if (moved.outcome === 'refused' && isAttemptIn(moved.current, ref, ['PENDING'])) {
      return { outcome: 'applied', current: moved.current };
    }
    return moved;
  };

export const recordLaunch =
  (table: Table): TaskStore['recordLaunch'] =>
  async (ref, ecsTaskArn) => {
    const record = (doubted: boolean) =>
      moveTask(table, ref.taskId, (update) => {
        const [arn, code] = [update.path('ecsTaskArn'), update.path('reason', 'code')];
        update.set(arn, ecsTaskArn);
        if (doubted) update.set(update.path('reason'), launchedReason(ecsTaskArn));
        const sameArn = `(attribute_not_exists(${arn}) OR ${update.equals(arn, ecsTaskArn)})`;
        const doubt = `${code} ${doubted ? '=' : '<>'} ${update.value('LAUNCH_UNKNOWN')}`;
        return [attemptIn(update, ref, ['PLACED']), sameArn, doubt].join(' AND ');
      });
    // The reason why it was placed there is worth keeping; only the doubt about the launch has to go.
    const recorded = await record(false);
    return recorded.outcome === 'refused' && recorded.current?.reason.code === 'LAUNCH_UNKNOWN'
      ? record(true)
      : recorded;
  };

export const launchedReason = (ecsTaskArn: string) =>
  ({ code: 'PLACED', detail: `ECS has it as ${ecsTaskArn}` }) as const;

export const recordLaunchUnknown =
  (table: Table): TaskStore['recordLaunchUnknown'] =>
  (ref, detail) =>
    moveTask(table, ref.taskId, (update) => {
      update.set(update.path('reason'), { code: 'LAUNCH_UNKNOWN', detail });
      return attemptIn(update, ref, ['PLACED']);
    });

export const runningReason = { code: 'RUNNING', detail: 'ECS reported its containers running' } as const;

export const recordRunning =
  (table: Table): TaskStore['recordRunning'] =>
  (ref, seen) =>
    moveTask(table, ref.taskId, (update) => {
      update.setAll({ state: 'RUNNING', reason: runningReason, ...seen });
      const version = update.path('ecsVersion');
      const older = `(attribute_not_exists(${version}) OR ${version} < ${update.value(seen.ecsVersion)})`;
      return `${attemptIn(update, ref, ['PLACED', 'RUNNING'])} AND ${older}`;
    });
