import { describe, expect, it } from 'vitest';
import type { Measurement } from '../cloudwatch/metricRecorder.ts';
import { testContext } from '../engine/testContext.ts';
import { filterPattern } from './filterPattern.ts';
import { createLogs, type LogsOptions } from './logs.ts';

interface Events {
  events: { message: string; timestamp: number; eventId?: string; logStreamName?: string }[];
  nextToken?: string;
  nextForwardToken: string;
  nextBackwardToken: string;
}

function world(options: LogsOptions = {}) {
  const context = testContext();
  const logs = createLogs(context, options);
  const call = async <Answer = Events>(operation: string, input: object): Promise<Answer> => {
    const run = logs.service.operations[operation];
    if (!run) throw new Error(`no operation ${operation}`);
    return (await run(input, { requestId: 'test' })) as Answer;
  };
  const write = (stream: string, ...messages: string[]): void =>
    logs.append(
      '/app',
      stream,
      messages.map((message) => ({ timestampMs: context.clock.now(), message })),
    );
  return { context, logs, call, write };
}
const messages = ({ events }: Events): string[] => events.map(({ message }) => message);
const GROUP = { logGroupName: '/app' };

describe('logs', () => {
  it('are put and read back and forth', async () => {
    const { call, context } = world();
    await call('CreateLogGroup', GROUP);
    await expect(call('CreateLogGroup', GROUP)).rejects.toMatchObject({
      code: 'ResourceAlreadyExistsException',
    });
    const stream = { ...GROUP, logStreamName: 's' };
    await expect(call('PutLogEvents', { ...stream, logEvents: [] })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await call('CreateLogStream', stream);
    const nowMs = context.clock.now();
    const logEvents = [1, 2, 3, 4, 5].map((n) => ({ timestamp: nowMs + n, message: String(n) }));
    await call('PutLogEvents', { ...stream, logEvents });
    const first = await call('GetLogEvents', { ...stream, startFromHead: true, limit: 2 });
    expect(messages(first)).toEqual(['1', '2']);
    const second = await call('GetLogEvents', { ...stream, nextToken: first.nextForwardToken, limit: 2 });
    expect(messages(second)).toEqual(['3', '4']);
    const back = await call('GetLogEvents', { ...stream, nextToken: second.nextBackwardToken, limit: 1 });
    expect(messages(back)).toEqual(['2']);
    const last = await call('GetLogEvents', { ...stream, nextToken: second.nextForwardToken });
    expect(messages(last)).toEqual(['5']);
    const end = await call('GetLogEvents', { ...stream, nextToken: last.nextForwardToken });
    expect([end.events, end.nextForwardToken]).toEqual([[], last.nextForwardToken]);
    expect(messages(await call('GetLogEvents', { ...stream, limit: 2 }))).toEqual(['4', '5']);
  });

  it('are searched over all streams in the order of time, page by page', async () => {
    const { call, write, context } = world();
    for (let n = 0; n < 6; n += 1) {
      write(n % 2 === 0 ? 'even' : 'odd', `line ${n}`);
      await context.clock.advance(10);
    }
    const one = await call('FilterLogEvents', { ...GROUP, limit: 4 });
    expect(messages(one)).toEqual(['line 0', 'line 1', 'line 2', 'line 3']);
    const two = await call('FilterLogEvents', { ...GROUP, limit: 4, nextToken: one.nextToken });
    expect(messages(two)).toEqual(['line 4', 'line 5']);
    expect(two.nextToken).toBeUndefined();
    expect(new Set([...one.events, ...two.events].map(({ eventId }) => eventId)).size).toBe(6);
    const odd = await call('FilterLogEvents', {
      ...GROUP,
      logStreamNamePrefix: 'o',
      startTime: context.clock.now() - 35,
    });
    expect(messages(odd)).toEqual(['line 3', 'line 5']);
    const byArn = { logGroupIdentifier: 'arn:aws:logs:us-east-1:000000000000:log-group:/app:*' };
    expect(messages(await call('FilterLogEvents', { ...byArn, filterPattern: '"line 2"' }))).toEqual([
      'line 2',
    ]);
  });

  it('keep the latest lines only', async () => {
    const { call, write } = world({ maxEvents: 100 });
    for (let n = 0; n < 1_000; n += 1) write('s', String(n));
    const kept = messages(await call('FilterLogEvents', GROUP));
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length).toBeLessThanOrEqual(110);
    expect(kept.at(-1)).toBe('999');
  });

  it('forget what is older than their retention', async () => {
    const { call, write, context, logs } = world();
    logs.createLogGroup('/app', 1);
    write('s', 'old');
    await context.clock.advance(86_400_001);
    write('s', 'new');
    expect(messages(await call('FilterLogEvents', GROUP))).toEqual(['new']);
    const { logGroups } = await call<{ logGroups: object[] }>('DescribeLogGroups', {
      logGroupNamePrefix: '/a',
    });
    expect(logGroups).toMatchObject([{ logGroupName: '/app', retentionInDays: 1 }]);
  });

  it('refuse what is unordered and report what is too old', async () => {
    const { call, context, write } = world();
    write('s', 'x');
    const stream = { ...GROUP, logStreamName: 's' };
    const at = (timestamp: number) => ({ timestamp, message: 'm' });
    const nowMs = context.clock.now();
    await expect(
      call('PutLogEvents', { ...stream, logEvents: [at(nowMs), at(nowMs - 1)] }),
    ).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
    const logEvents = [at(nowMs - 15 * 86_400_000), at(nowMs), at(nowMs + 3 * 3_600_000)];
    expect(await call('PutLogEvents', { ...stream, logEvents })).toMatchObject({
      rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 2 },
    });
    expect(messages(await call('FilterLogEvents', GROUP))).toEqual(['x', 'm']);
  });

  it('hand on the metrics they carry', () => {
    const recorded: Measurement[] = [];
    const { write } = world({ metrics: { record: (measurements) => recorded.push(...measurements) } });
    const directive = { Namespace: 'Berth', Dimensions: [[]], Metrics: [{ Name: 'Placed' }] };
    write('s', 'text', JSON.stringify({ _aws: { Timestamp: 1, CloudWatchMetrics: [directive] }, Placed: 2 }));
    expect(recorded).toEqual([
      { namespace: 'Berth', name: 'Placed', value: 2, dimensions: {}, timestampMs: 1 },
    ]);
  });
});

describe('a filter pattern', () => {
  const json = JSON.stringify({
    level: 'ERROR',
    taskId: 't-1',
    cpu: 512,
    user: null,
    ok: true,
    list: [{ id: 7 }],
    message: 'disk full',
  });
  it.each([
    ['', 'anything', true],
    ['ERROR', 'an ERROR here', true],
    ['ERROR', 'an error here', false],
    ['disk full', 'full disk', true],
    ['"disk full"', 'full disk', false],
    ['ERROR -timeout', 'ERROR timeout', false],
    ['?a ?b', 'only b', true],
    ['?a ?b', 'neither: x', false],
    ['%task-[0-9]+%', 'task-12 done', true],
    ['{ $.level = "ERROR" }', json, true],
    ['{ $.level = ERROR && $.cpu >= 512 }', json, true],
    ['{ $.level = "WARN" || ($.cpu > 100 && $.cpu < 600) }', json, true],
    ['{ $.level != "ERROR" }', json, false],
    ['{ $.taskId = "t-*" }', json, true],
    ['{ $.taskId = %^t-[0-9]$% }', json, true],
    ['{ $.list[0].id = 7 }', json, true],
    ['{ $.user IS NULL }', json, true],
    ['{ $.ok IS TRUE }', json, true],
    ['{ $.absent NOT EXISTS }', json, true],
    ['{ $.absent = 1 }', json, false],
    ['{ $.message = "disk full" }', json, true],
    ['{ $.level = "ERROR" }', 'not json', false],
  ])('%s on %s', (pattern, message, expected) => {
    expect(filterPattern(pattern)(message)).toBe(expected);
  });

  it.each([
    '{ $.a }',
    '{ $.a = }',
    '{ a = 1 }',
    '{ $.a = 1 && }',
    '[a, b]',
    '{ $.a = 1',
    '%(%',
    '{ $.a < x }',
  ])('refuses %s', (pattern) => expect(() => filterPattern(pattern)).toThrowError('Invalid filter pattern'));
});
