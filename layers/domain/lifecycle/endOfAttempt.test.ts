import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aTask, aTaskSpec } from '../../../test/support/records.ts';
import { isInfrastructureCause, type StopCause } from '../model/reason.ts';
import { endOfAttempt } from './endOfAttempt.ts';

const NOW = 1_000_000;
const causes: StopCause[] = [
  'EXIT_ZERO',
  'EXIT_NONZERO',
  'OUT_OF_MEMORY',
  'TIMEOUT',
  'CANCELLED',
  'PREEMPTED',
  'IMAGE_PULL',
  'LAUNCH_FAILED',
  'HOST_LOST',
  'SPOT_INTERRUPTION',
  'STOPPED_BY_USER',
  'UNKNOWN',
];
const unlimited = causes.filter(
  (cause) => isInfrastructureCause(cause) && cause !== 'IMAGE_PULL' && cause !== 'LAUNCH_FAILED',
);
const running = (over = {}) => aTask({ state: 'RUNNING', ...over });

test('exit code zero succeeds, even when a stop was asked for too late', () => {
  const task = running({ stopRequested: { code: 'CANCELLED', detail: 'too late' } });
  expect(endOfAttempt(task, { cause: 'EXIT_ZERO', detail: 'done' }, NOW)).toMatchObject({
    kind: 'finish',
    state: 'SUCCEEDED',
  });
});

test('a cancelled task ends cancelled, whatever its exit code says', () => {
  const task = running({ stopRequested: { code: 'CANCELLED', detail: 'the operator asked for it' } });
  expect(endOfAttempt(task, { cause: 'EXIT_NONZERO', detail: 'exit 143' }, NOW)).toMatchObject({
    kind: 'finish',
    state: 'CANCELLED',
  });
});

test('the task’s own attempts are used up exactly', () => {
  for (const used of [0, 1, 2]) {
    const decision = endOfAttempt(
      running({ attemptsUsed: used, attempt: used + 1 }),
      { cause: 'EXIT_NONZERO', detail: 'exit 1' },
      NOW,
    );
    expect(decision.kind).toBe(used < 2 ? 'requeue' : 'finish');
  }
});

test('the retry policy says which ends are tried again', () => {
  const on = { exitCodes: [75], outOfMemory: false, timeout: false };
  const task = running({ spec: aTaskSpec({ retry: { maxAttempts: 3, on } }) });
  const kindOf = (cause: StopCause, exitCode?: number) =>
    endOfAttempt(task, { cause, detail: '', ...(exitCode !== undefined && { exitCode }) }, NOW).kind;
  expect(kindOf('EXIT_NONZERO', 75)).toBe('requeue');
  expect(kindOf('EXIT_NONZERO', 1)).toBe('finish');
  expect(kindOf('OUT_OF_MEMORY', 137)).toBe('finish');
  expect(kindOf('TIMEOUT')).toBe('finish');
  expect(kindOf('HOST_LOST')).toBe('requeue');
});

test.each([
  ['IMAGE_PULL', undefined, 3],
  ['IMAGE_PULL', { imagePull: 1 }, 1],
  ['LAUNCH_FAILED', undefined, 10],
  ['LAUNCH_FAILED', { launchFailed: 2 }, 2],
] as const)(
  '%s with limits %j ends the task at its %i. failure and uses no attempt',
  (cause, limits, most) => {
    let task = running({ spec: aTaskSpec({ retry: { maxAttempts: 1, ...(limits && { limits }) } }) });
    for (let failures = 1; failures <= most; failures += 1) {
      const decision = endOfAttempt(task, { cause, detail: 'not started' }, NOW);
      expect(decision.kind).toBe(failures < most ? 'requeue' : 'finish');
      if (decision.kind === 'finish') return;
      expect(decision.counted).toBe(false);
      task = { ...task, attempt: task.attempt + 1, startsFailed: decision.startsFailed ?? {} };
    }
  },
);

test('infrastructure causes never use up an attempt, and those without a limit never end the task', () => {
  const any = fc.record({ used: fc.integer({ min: 0, max: 2 }), lost: fc.integer({ min: 0, max: 500 }) });
  fc.assert(
    fc.property(any, fc.constantFrom(...unlimited), ({ used, lost }, cause) => {
      const task = running({ attemptsUsed: used, attempt: used + lost + 1 });
      const decision = endOfAttempt(task, { cause, detail: 'gone' }, NOW);
      expect(decision).toMatchObject({ kind: 'requeue', counted: false, cause });
    }),
  );
});

test('a requeued attempt waits, within the bound of the back-off', () => {
  fc.assert(
    fc.property(fc.constantFrom(...causes), fc.integer({ min: 1, max: 1_000 }), (cause, attempt) => {
      const decision = endOfAttempt(running({ attempt }), { cause, detail: '' }, NOW);
      if (decision.kind === 'finish') return;
      if (cause !== 'PREEMPTED') expect(decision.notBefore).toBeGreaterThan(NOW);
      expect(decision.notBefore).toBeLessThanOrEqual(NOW + 300_000);
    }),
  );
});

test('a task that gave way is placed again at once, and keeps the words of whoever asked', () => {
  const task = running({ attempt: 9, stopRequested: { code: 'PREEMPTED', detail: 'moved off i-1' } });
  const decision = endOfAttempt(task, { cause: 'STOPPED_BY_USER', detail: 'stopped' }, NOW);
  expect(decision).toMatchObject({ kind: 'requeue', cause: 'PREEMPTED', counted: false, notBefore: NOW });
  expect(decision.reason.detail).toBe('moved off i-1; it is placed again at once');
});

test('a timeout counts as the task’s own doing', () => {
  const task = running({ stopRequested: { code: 'TIMEOUT', detail: 'it ran for more than its 5 s' } });
  const decision = endOfAttempt(task, { cause: 'STOPPED_BY_USER', detail: 'stopped' }, NOW);
  expect(decision).toMatchObject({ kind: 'requeue', cause: 'TIMEOUT', counted: true });
});
