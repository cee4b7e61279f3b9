import type { ListRulesResponse, Target } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { functionArn, queueArn, testEvents } from './testEvents.ts';

describe('PutEvents', () => {
  it('answers for every entry by itself', async () => {
    const { put } = testEvents();
    const result = await put(
      {},
      { Source: undefined },
      { DetailType: undefined },
      { Detail: undefined },
      { Detail: '{' },
      { Detail: '[1]' },
      { Source: 'aws.ecs' },
      { DetailType: 'x'.repeat(129) },
    );
    expect(result.FailedEntryCount).toBe(7);
    expect(result.Entries?.map(({ ErrorCode, EventId }) => ErrorCode ?? typeof EventId)).toEqual([
      'string',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
    ]);
    expect(result.Entries?.[1]?.ErrorMessage).toBe(
      'Parameter Source is not valid. Reason: Source is a required argument.',
    );
  });

  it('takes one to ten entries of less than 1 MB in all', async () => {
    const { put } = testEvents();
    const Detail = JSON.stringify({ x: 'x'.repeat(1_048_576 - 25 - 'shop'.length - 'Order Placed'.length) });
    await put({ Detail });
    const tooLarge = { code: 'ValidationException', message: expect.stringContaining('Total size') };
    await expect(put({ Detail }, {})).rejects.toMatchObject(tooLarge);
    await expect(put()).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(put(...Array.from({ length: 11 }, () => ({})))).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });
});

describe('rules', () => {
  it('are put, described, listed and deleted', async () => {
    const { call, rule } = testEvents();
    const arn = await rule('one', { EventPattern: '{"source":["a"]}', Description: 'first' });
    expect(arn).toBe('arn:aws:events:us-east-1:000000000000:rule/one');
    expect(await call('DescribeRule', { Name: 'one' })).toMatchObject({
      Name: 'one',
      Arn: arn,
      EventPattern: '{"source":["a"]}',
      State: 'ENABLED',
      Description: 'first',
      EventBusName: 'default',
    });
    await call('PutRule', { Name: 'one', EventPattern: '{"source":["b"]}' });
    expect(await call('ListTargetsByRule', { Rule: 'one' })).toMatchObject({ Targets: [{ Id: 't' }] });
    expect(await call('ListRuleNamesByTarget', { TargetArn: functionArn('one') })).toMatchObject({
      RuleNames: ['one'],
    });
    await expect(call('DeleteRule', { Name: 'one' })).rejects.toMatchObject({ code: 'ValidationException' });
    await call('RemoveTargets', { Rule: 'one', Ids: ['t'] });
    await call('DeleteRule', { Name: 'one' });
    await call('DeleteRule', { Name: 'one' });
    await expect(call('DescribeRule', { Name: 'one' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Rule one does not exist on EventBus default.',
    });
  });

  it('come in pages', async () => {
    const { call } = testEvents();
    for (const Name of ['a', 'b', 'c']) await call('PutRule', { Name, EventPattern: '{"source":["x"]}' });
    const first = await call<ListRulesResponse>('ListRules', { Limit: 2 });
    expect(first.Rules?.map(({ Name }) => Name)).toEqual(['a', 'b']);
    const second = await call<ListRulesResponse>('ListRules', { Limit: 2, NextToken: first.NextToken });
    expect(second.Rules?.map(({ Name }) => Name)).toEqual(['c']);
    expect(second.NextToken).toBeUndefined();
  });

  it.each([
    [{ Name: 'r' }, 'ValidationException'],
    [{ Name: 'a b', EventPattern: '{"a":["b"]}' }, 'ValidationException'],
    [{ Name: 'r', EventPattern: '{"a":"b"}' }, 'InvalidEventPatternException'],
    [{ Name: 'r', ScheduleExpression: 'rate(1 minutes)' }, 'ValidationException'],
    [{ Name: 'r', ScheduleExpression: 'at(2026-01-01T00:00:00)' }, 'ValidationException'],
    [{ Name: 'r', EventPattern: '{"a":["b"]}', EventBusName: 'none' }, 'ResourceNotFoundException'],
  ])('%o is refused with %s', async (input, code) => {
    const { call } = testEvents();
    await expect(call('PutRule', input)).rejects.toMatchObject({ code });
    expect(await call('ListRules')).toMatchObject({ Rules: [] });
  });

  it.each<[Partial<Target>, string]>([
    [{ Id: 'a b' }, 'target id'],
    [{ Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/x' }, 'not in correct format'],
    [{ Arn: queueArn('q.fifo') }, 'MessageGroupId'],
    [{ Input: '{}', InputPath: '$' }, 'Only one of'],
    [{ Input: '{' }, 'JSON syntax error'],
    [{ RetryPolicy: { MaximumRetryAttempts: 186 } }, 'MaximumRetryAttempts'],
    [{ RetryPolicy: { MaximumEventAgeInSeconds: 59 } }, 'MaximumEventAgeInSeconds'],
    [{ DeadLetterConfig: { Arn: queueArn('dead.fifo') } }, 'standard queue'],
  ])('a target %o is refused: %s', async (target, reason) => {
    const { call, rule } = testEvents();
    await expect(rule('r', { EventPattern: '{"a":["b"]}' }, target)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(reason),
    });
    expect(await call('ListTargetsByRule', { Rule: 'r' })).toMatchObject({ Targets: [] });
  });

  it('have at most five targets', async () => {
    const { call, rule } = testEvents();
    await rule('r', { EventPattern: '{"a":["b"]}' });
    const Targets = ['1', '2', '3', '4', '5'].map((Id) => ({ Id, Arn: functionArn(Id) }));
    await expect(call('PutTargets', { Rule: 'r', Targets })).rejects.toMatchObject({
      code: 'LimitExceededException',
    });
    await call('PutTargets', { Rule: 'r', Targets: Targets.slice(1) });
  });
});

describe('buses', () => {
  it('are created once, described, tagged and deleted', async () => {
    const { call } = testEvents();
    const { EventBusArn } = await call('CreateEventBus', { Name: 'own', Tags: [{ Key: 'a', Value: '1' }] });
    expect(EventBusArn).toBe('arn:aws:events:us-east-1:000000000000:event-bus/own');
    await expect(call('CreateEventBus', { Name: 'own' })).rejects.toMatchObject({
      code: 'ResourceAlreadyExistsException',
    });
    expect(await call('DescribeEventBus', {})).toMatchObject({ Name: 'default' });
    expect(await call('ListEventBuses')).toMatchObject({
      EventBuses: [{ Name: 'default' }, { Name: 'own' }],
    });
    await call('TagResource', { ResourceARN: EventBusArn, Tags: [{ Key: 'b', Value: '2' }] });
    await call('UntagResource', { ResourceARN: EventBusArn, TagKeys: ['a'] });
    expect(await call('ListTagsForResource', { ResourceARN: EventBusArn })).toEqual({
      Tags: [{ Key: 'b', Value: '2' }],
    });
    const { RuleArn } = await call('PutRule', {
      Name: 'r',
      EventBusName: 'own',
      EventPattern: '{"a":["b"]}',
    });
    expect(RuleArn).toBe('arn:aws:events:us-east-1:000000000000:rule/own/r');
    await call('TagResource', { ResourceARN: RuleArn, Tags: [{ Key: 'c', Value: '3' }] });
    expect(await call('ListTagsForResource', { ResourceARN: RuleArn })).toEqual({
      Tags: [{ Key: 'c', Value: '3' }],
    });
    await expect(call('DeleteEventBus', { Name: 'own' })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await call('DeleteRule', { Name: 'r', EventBusName: 'own' });
    await call('DeleteEventBus', { Name: 'own' });
    await expect(call('DeleteEventBus', { Name: 'default' })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await expect(call('DescribeEventBus', { Name: 'own' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('only the default one has schedules', async () => {
    const { call } = testEvents();
    await call('CreateEventBus', { Name: 'own' });
    const input = { Name: 'r', EventBusName: 'own', ScheduleExpression: 'rate(1 minute)' };
    await expect(call('PutRule', input)).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('TestEventPattern', () => {
  const event = {
    id: '1',
    account: '0',
    source: 'shop',
    time: '2026-01-01T00:00:00Z',
    region: 'us-east-1',
    resources: [],
    'detail-type': 'Order Placed',
    detail: { n: 5 },
  };
  it('tells whether an event matches, and refuses what is no event or no pattern', async () => {
    const { call } = testEvents();
    const test = (EventPattern: string, Event = JSON.stringify(event)): Promise<unknown> =>
      call('TestEventPattern', { EventPattern, Event });
    expect(await test('{"detail":{"n":[{"numeric":["<",6]}]}}')).toEqual({ Result: true });
    expect(await test('{"detail":{"n":[6]}}')).toEqual({ Result: false });
    await expect(test('{"detail":5}')).rejects.toMatchObject({ code: 'InvalidEventPatternException' });
    await expect(test('{"a":["b"]}', '{')).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(test('{"a":["b"]}', '{"id":"1"}')).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('account is a required field'),
    });
  });
});
