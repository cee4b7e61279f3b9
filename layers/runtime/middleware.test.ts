import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { lambdaContext } from '../../test/support/lambdaContext.ts';
import { recordedTelemetry } from '../../test/support/recordedTelemetry.ts';
import { wrap } from './middleware.ts';
import { RefusedInput } from './refusedInput.ts';

const problem = { field: 'count', rule: 'count must be a whole number.', fix: 'Write 1.' };

describe('the stack around every function', () => {
  it('answers with what the handler returns and logs the event for who looks closely', async () => {
    const telemetry = recordedTelemetry();
    const handler = wrap(telemetry, async (event: { readonly a: number }, context: Context) => ({
      doubled: event.a * 2,
      request: context.awsRequestId,
    }));
    expect(await handler({ a: 2 }, lambdaContext())).toEqual({
      doubled: 4,
      request: lambdaContext().awsRequestId,
    });
    expect(telemetry.lines).toEqual([{ level: 'debug', message: 'Invoked', fields: { event: { a: 2 } } }]);
    expect(telemetry.begun).toEqual([lambdaContext().awsRequestId]);
  });

  it('counts a cold start once and flushes at every end', async () => {
    const telemetry = recordedTelemetry();
    const handler = wrap(telemetry, async () => 'fine');
    await handler({}, lambdaContext());
    await handler({}, lambdaContext());
    expect(telemetry.total('ColdStarts')).toBe(1);
    expect(telemetry.samples.filter(({ name }) => name === 'Duration')).toHaveLength(2);
    expect(telemetry.flushes).toBe(2);
  });

  it('answers a refused input with its problems and does not throw', async () => {
    const telemetry = recordedTelemetry();
    const handler = wrap(telemetry, async () => {
      throw new RefusedInput([problem]);
    });
    expect(await handler({}, lambdaContext())).toEqual({ outcome: 'refused', problems: [problem] });
    expect(telemetry.total('RefusedInputs')).toBe(1);
    expect(telemetry.total('UnexpectedErrors')).toBe(0);
    expect(telemetry.flushes).toBe(1);
  });

  it('throws an unexpected error on, logged and counted before the flush', async () => {
    const telemetry = recordedTelemetry();
    const error = new TypeError('no such thing');
    const handler = wrap(telemetry, async () => {
      throw error;
    });
    await expect(handler({}, lambdaContext())).rejects.toBe(error);
    expect(telemetry.lines.at(-1)).toEqual({
      level: 'error',
      message: 'Unexpected error',
      fields: { error },
    });
    expect(telemetry.flushed).toContain('UnexpectedErrors');
  });

  it('says that the time ran out before Lambda cuts the function off', async () => {
    const telemetry = recordedTelemetry();
    const never = new Promise<string>(() => {});
    const handler = wrap(telemetry, () => never);
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => 260 };
    await expect(handler({}, context)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(telemetry.flushed).toContain('UnexpectedErrors');
  });
});
