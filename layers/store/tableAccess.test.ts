import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../ports/store.ts';
import { classify } from './errors.ts';
import { toImage, Update } from './expression.ts';
import { getItems, type Table, transact, updateItem } from './tableAccess.ts';

const metadata = { $metadata: {}, message: 'refused' };
const named = (name: string): Error => Object.assign(new Error('no'), { name });

const cancelled = (...codes: readonly string[]): Error =>
  new TransactionCanceledException({
    ...metadata,
    CancellationReasons: codes.map((Code) =>
      Code === 'ConditionalCheckFailed' ? { Code, Item: toImage({ pk: 'a', n: 1 }) } : { Code },
    ),
  });

/** A table whose requests are answered, in order, by these; `slept` collects the pauses between. */
function scripted(...answers: readonly (Error | object)[]): {
  table: Table;
  sent: object[];
  slept: number[];
} {
  const [sent, slept]: [object[], number[]] = [[], []];
  const client = {
    async send(command: { readonly input: object }) {
      const answer = answers[sent.length];
      sent.push(command.input);
      if (answer === undefined) throw new Error('one request too many');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const retry = {
    attempts: 3,
    baseMs: 10,
    maxMs: 15,
    random: () => 1,
    sleep: async (ms: number) => void slept.push(ms),
  };
  const table = { client: client as unknown as DynamoDBClient, name: 'berth', retry, cellsOf: async () => 1 };
  return { table, sent, slept };
}

const anUpdate = (): Update => {
  const update = new Update();
  update.set(update.path('n'), 2);
  return update;
};

describe('classify', () => {
  it('tells what is an answer, what passes and what is a mistake', () => {
    expect(classify(new ConditionalCheckFailedException(metadata))).toBe('guard');
    expect(classify(cancelled())).toBe('cancelled');
    expect(classify(named('TransactionConflictException'))).toBe('busy');
    expect(classify(named('ThrottlingException'))).toBe('unavailable');
    expect(classify(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toBe('unavailable');
    expect(classify(Object.assign(named('Odd'), { $fault: 'server' }))).toBe('unavailable');
    expect(classify(named('ValidationException'))).toBe('mistake');
    expect(classify('text')).toBe('mistake');
  });
});

describe('transact', () => {
  it('repeats what only another transaction or a throttle stopped, with growing bounded pauses', async () => {
    const { table, sent, slept } = scripted(
      cancelled('TransactionConflict', 'None'),
      cancelled('None', 'ThrottlingError'),
      {},
    );
    expect(await transact(table, [])).toBeUndefined();
    expect(sent).toHaveLength(3);
    expect(slept).toEqual([10, 15]);
  });

  it('gives up after its bound, saying that nothing is known', async () => {
    const conflict = cancelled('TransactionConflict');
    const { table } = scripted(conflict, conflict, conflict);
    await expect(transact(table, [])).rejects.toThrow(StoreUnavailable);
  });

  it('reads a guard that did not hold even beside a conflict', async () => {
    const { table, sent } = scripted(cancelled('TransactionConflict', 'ConditionalCheckFailed', 'None'));
    expect(await transact(table, [])).toEqual([undefined, { item: { pk: 'a', n: 1 } }, undefined]);
    expect(sent).toHaveLength(1);
  });

  it('passes a mistake on as it is', async () => {
    const { table } = scripted(cancelled('ValidationError'));
    await expect(transact(table, [])).rejects.toThrow(TransactionCanceledException);
  });
});

describe('updateItem', () => {
  const key = { pk: 'a', sk: 'b' };

  it('waits for an item that a transaction holds', async () => {
    const { table, slept } = scripted(named('TransactionConflictException'), {
      Attributes: toImage({ n: 2 }),
    });
    expect(await updateItem(table, key, anUpdate(), undefined)).toEqual({ held: true, item: { n: 2 } });
    expect(slept).toEqual([10]);
  });

  it('returns the record that refused', async () => {
    const refusal = new ConditionalCheckFailedException({ ...metadata, Item: toImage({ n: 1 }) });
    const { table } = scripted(refusal);
    expect(await updateItem(table, key, anUpdate(), 'x')).toEqual({ held: false, item: { n: 1 } });
  });

  it('throws StoreUnavailable with its cause when nothing is known', async () => {
    const cause = named('TimeoutError');
    const { table } = scripted(cause);
    await expect(updateItem(table, key, anUpdate(), undefined)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      cause,
    });
  });
});

describe('getItems', () => {
  it('asks again for what DynamoDB left unprocessed, and gives up when it never comes', async () => {
    const keys = [{ pk: 'a', sk: 'b' }];
    const later = { Responses: {}, UnprocessedKeys: { berth: { Keys: [toImage({ pk: 'a', sk: 'b' })] } } };
    const { table } = scripted(later, { Responses: { berth: [toImage({ n: 1 })] } });
    expect(await getItems(table, keys)).toEqual([{ n: 1 }]);
    await expect(getItems(scripted(later, later, later).table, keys)).rejects.toThrow(StoreUnavailable);
  });
});
