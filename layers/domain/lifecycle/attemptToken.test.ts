import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptToken, MAX_TOKEN_LENGTH, parseAttemptToken } from './attemptToken.ts';

const taskId = fc.stringMatching(/^[a-z2-7]{26}$/);

describe('the token of an attempt', () => {
  it('comes back as it went, within the length that ECS takes', () => {
    fc.assert(
      fc.property(taskId, fc.integer({ min: 1, max: 999_999_999 }), (id, attempt) => {
        const token = attemptToken({ taskId: id, attempt });
        expect(token.length).toBeLessThanOrEqual(MAX_TOKEN_LENGTH);
        expect(parseAttemptToken(token)).toEqual({ taskId: id, attempt });
      }),
    );
  });

  it.each([undefined, '', 'ecs-svc/1234567890123456789', 'someone', 'a:0', 'a:1:2', 'a:-1', ':1', 'a:'])(
    'is not %s',
    (startedBy) => expect(parseAttemptToken(startedBy)).toBeUndefined(),
  );
});
