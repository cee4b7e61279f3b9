import type { Target } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { queueArn, testEvents } from './testEvents.ts';

const event = {
  Detail: JSON.stringify({
    instance: 'i-1',
    say: 'a "quoted" word',
    count: 3,
    none: null,
    tags: ['x', 'y'],
    deep: { items: [{ id: 1 }, { id: 2 }, { other: 3 }] },
  }),
};

async function delivered(target: Partial<Target>): Promise<string | undefined> {
  const { context, deliverer, rule, put } = testEvents();
  await rule('r', { EventPattern: '{"source":["shop"]}' }, target);
  await put(event);
  await context.clock.advance(0);
  return deliverer.taken[0]?.body;
}

describe('input', () => {
  it('is a constant, or a part of the event', async () => {
    expect(await delivered({ Input: '{"fixed": true}' })).toBe('{"fixed": true}');
    expect(await delivered({ InputPath: '$.detail.deep' })).toBe('{"items":[{"id":1},{"id":2},{"other":3}]}');
    expect(await delivered({ InputPath: "$['detail']['tags'][1]" })).toBe('"y"');
    expect(await delivered({ InputPath: '$.detail.deep.items[*].id' })).toBe('[1,2]');
    expect(await delivered({ InputPath: '$.detail.absent.deeper' })).toBe('null');
    expect(await delivered({ InputPath: '$.detail-type' })).toBe('"Order Placed"');
  });
});

describe('input transformer', () => {
  const InputPathsMap = {
    instance: '$.detail.instance',
    say: '$.detail.say',
    count: '$.detail.count',
    none: '$.detail.none',
    tags: '$.detail.tags',
    deep: '$.detail.deep',
    absent: '$.detail.absent',
    kind: '$.detail-type',
  };
  it.each([
    ['"<instance> is <count>"', 'i-1 is 3'],
    ['"<say> and <kind>"', 'a "quoted" word and Order Placed'],
    [
      '{"a": <instance>, "b": "<instance>", "c": <count>, "d": <none>}',
      { a: 'i-1', b: 'i-1', c: 3, d: null },
    ],
    ['{"say": <say>, "in": "<<say>>"}', { say: 'a "quoted" word', in: '<a "quoted" word>' }],
    [
      '{"tags": <tags>, "deep": <deep>}',
      { tags: ['x', 'y'], deep: { items: [{ id: 1 }, { id: 2 }, { other: 3 }] } },
    ],
    ['"tags <tags>"', 'tags [x,y]'],
    ['{"gone": <absent>, "in": "[<absent>]"}', { gone: '', in: '[]' }],
    ['{"unknown": "<what>"}', { unknown: '<what>' }],
    ['{"escaped \\"<instance>\\"": "<count>"}', { 'escaped "i-1"': '3' }],
    ['[<count>, <count>]', [3, 3]],
    [
      '{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>, "at": <aws.events.event.ingestion-time>}',
      { rule: 'r', arn: 'arn:aws:events:us-east-1:000000000000:rule/r', at: '2026-01-01T00:00:00.000Z' },
    ],
  ])('%s', async (InputTemplate, expected) => {
    const body = await delivered({ InputTransformer: { InputPathsMap, InputTemplate } });
    expect(JSON.parse(body ?? '')).toEqual(expected);
  });

  it('knows the whole event and the event without its detail', async () => {
    const InputTemplate = '{"all": <aws.events.event.json>, "head": <aws.events.event>}';
    const { all, head } = JSON.parse((await delivered({ InputTransformer: { InputTemplate } })) ?? '');
    expect(all.detail.count).toBe(3);
    expect(head).toMatchObject({ source: 'shop' });
    expect(head.detail).toBeUndefined();
  });

  it('that makes no JSON of an event turns it into a dead letter', async () => {
    const { context, deliverer, rule, put } = testEvents();
    await rule(
      'r',
      { EventPattern: '{"source":["shop"]}' },
      {
        InputTransformer: { InputPathsMap: { bad: '$.detail.bad' }, InputTemplate: '{"a": "<bad>"}' },
        DeadLetterConfig: { Arn: queueArn('dead') },
      },
    );
    await put({ Detail: JSON.stringify({ bad: { path: 'C:\\' } }) });
    await context.clock.advance(0);
    expect(deliverer.taken).toMatchObject([
      {
        arn: queueArn('dead'),
        options: { messageAttributes: { ERROR_CODE: { StringValue: 'INVALID_JSON' } } },
      },
    ]);
    expect(JSON.parse(deliverer.taken[0]?.body ?? '')).toMatchObject({ detail: { bad: { path: 'C:\\' } } });
  });

  it.each([
    [{ InputTemplate: '{"a": <x>' }],
    [{ InputTemplate: 'plain text' }],
    [{ InputTemplate: '"x"', InputPathsMap: { 'aws.x': '$.a' } }],
    [{ InputTemplate: '"x"', InputPathsMap: { x: 'detail.a' } }],
    [{ InputTemplate: '"x"', InputPathsMap: { x: '$.detail[?(@.a)]' } }],
  ])('%o is refused', async (InputTransformer) => {
    await expect(delivered({ InputTransformer })).rejects.toMatchObject({ code: 'ValidationException' });
  });
});
