/** ECS's bound on a client token; `startedBy` allows more. */
export const MAX_TOKEN_LENGTH = 64;

/** What ties an ECS task to an attempt: its client token and its `startedBy`. */
export const attemptToken = (ref: { readonly taskId: string; readonly attempt: number }): string =>
  `${ref.taskId}:${ref.attempt}`;

const tokenPattern = /^([A-Za-z0-9_-]{1,58}):([1-9][0-9]{0,8})$/;

/** The attempt behind a `startedBy`; `undefined` for tasks that are not Berth's. */
export function parseAttemptToken(
  startedBy: string | undefined,
): { readonly taskId: string; readonly attempt: number } | undefined {
  const match = startedBy === undefined ? null : tokenPattern.exec(startedBy);
  const [, taskId, attempt] = match ?? [];
  return taskId === undefined || attempt === undefined ? undefined : { taskId, attempt: Number(attempt) };
}
