import type { Placement } from '../model/task.ts';

/** Whether where the task may go depends on more than room and pool: what a claim cannot say of it. */
export const isConstrained = ({ constraints, strategies, gang }: Placement): boolean =>
  constraints.length > 0 || gang !== undefined || strategies.some(({ type }) => type === 'spread');
