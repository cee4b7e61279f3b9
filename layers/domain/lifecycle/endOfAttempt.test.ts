import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aTask } from '../../../test/support/records.ts';
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

test('infrastructure causes never use up an attempt and never end the task', () => {
  const any = fc.record({ used: fc.integer({ min: 0, max: 2 }), lost: fc.integer({ min: 0, max: 500 }) });
  fc.assert(
    fc.property(any, fc.constantFrom(...causes.filter(isInfrastructureCause)), ({ used, lost }, cause) => {
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
      expect(decision.notBefore).toBeGreaterThan(NOW);
      expect(decision.notBefore).toBeLessThanOrEqual(NOW + 300_000);
    }),
  );
});

test('a timeout counts as the task’s own doing', () => {
  const task = running({ stopRequested: { code: 'TIMEOUT', detail: 'it ran for more than its 5 s' } });
  const decision = endOfAttempt(task, { cause: 'STOPPED_BY_USER', detail: 'stopped' }, NOW);
  expect(decision).toMatchObject({ kind: 'requeue', cause: 'TIMEOUT', counted: true });
});
