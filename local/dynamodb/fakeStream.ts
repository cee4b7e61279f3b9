import * as streams from '@aws-sdk/client-dynamodb-streams';
import { ServiceError } from '../engine/service.ts';
import { inProcessClient } from '../wire/inProcessClient.ts';

interface FakeShard {
  readonly parent?: string;
  readonly numbers: number[];
  closed: boolean;
  /** Records below this were trimmed. */
  trimmedBelow: number;
}

/** DynamoDB Streams in memory, with what a real one does and the local engine never will: closing, trimming, expiring. */
export class FakeStream {
  readonly #shards = new Map<string, FakeShard>();
  #next = 1;
  #generation = 0;
  reads = 0;
  /** The next reads fail with these, in order. */
  readonly failures: ServiceError[] = [];

  readonly client = inProcessClient<streams.DynamoDBStreamsClient>({
    sdk: streams,
    service: {
      signingName: 'dynamodb',
      operations: {
        DescribeStream: (input: streams.DescribeStreamInput) => this.#describe(input),
        GetShardIterator: (input: streams.GetShardIteratorInput) => this.#iterator(input),
        GetRecords: (input: streams.GetRecordsInput) => this.#records(input),
      },
    },
  });

  addShard(id: string, parent?: string): void {
    this.#shards.set(id, {
      ...(parent === undefined ? {} : { parent }),
      numbers: [],
      closed: false,
      trimmedBelow: 0,
    });
  }

  /** Adds records and gives their sequence numbers. */
  write(shardId: string, count = 1): string[] {
    const numbers = Array.from({ length: count }, () => this.#next++);
    this.#shard(shardId).numbers.push(...numbers);
    return numbers.map(String);
  }

  close(shardId: string): void {
    this.#shard(shardId).closed = true;
  }

  trim(shardId: string, below: number): void {
    const shard = this.#shard(shardId);
    shard.trimmedBelow = below;
    shard.numbers.splice(0, shard.numbers.filter((number) => number < below).length);
  }

  expireIterators(): void {
    this.#generation += 1;
  }

  #shard(id: string | undefined): FakeShard {
    const shard = this.#shards.get(id ?? '');
    if (shard === undefined) throw new ServiceError('ResourceNotFoundException', `no shard ${id}`);
    return shard;
  }

  /** One shard a page, so that paging is exercised. */
  #describe({ ExclusiveStartShardId: after }: streams.DescribeStreamInput): streams.DescribeStreamOutput {
    const ids = [...this.#shards.keys()];
    const index = after === undefined ? 0 : ids.indexOf(after) + 1;
    const id = ids[index];
    if (id === undefined) return { StreamDescription: { Shards: [] } };
    const { parent } = this.#shard(id);
    const shard = { ShardId: id, ...(parent === undefined ? {} : { ParentShardId: parent }) };
    return {
      StreamDescription: {
        Shards: [shard],
        ...(index + 1 < ids.length ? { LastEvaluatedShardId: id } : {}),
      },
    };
  }

  #iterator(input: streams.GetShardIteratorInput): streams.GetShardIteratorOutput {
    const shard = this.#shard(input.ShardId);
    const from =
      input.ShardIteratorType === 'AFTER_SEQUENCE_NUMBER'
        ? Number(input.SequenceNumber) + 1
        : input.ShardIteratorType === 'LATEST'
          ? this.#next
          : 0;
    if (from > 0 && from < shard.trimmedBelow) {
      throw new ServiceError('TrimmedDataAccessException', 'that record is gone');
    }
    return { ShardIterator: `${this.#generation}|${input.ShardId}|${from}` };
  }

  #records({
    ShardIterator: iterator = '',
    Limit: limit = 1_000,
  }: streams.GetRecordsInput): streams.GetRecordsOutput {
    this.reads += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const [generation, shardId, from] = iterator.split('|');
    if (Number(generation) !== this.#generation)
      throw new ServiceError('ExpiredIteratorException', 'too old');
    const shard = this.#shard(shardId);
    const numbers = shard.numbers.filter((number) => number >= Number(from)).slice(0, limit);
    const last = numbers.at(-1);
    const isEnd = shard.closed && (last ?? Number(from) - 1) >= (shard.numbers.at(-1) ?? 0);
    return {
      Records: numbers.map((number) => ({ eventID: `${number}`, dynamodb: { SequenceNumber: `${number}` } })),
      ...(isEnd
        ? {}
        : { NextShardIterator: `${generation}|${shardId}|${last === undefined ? from : last + 1}` }),
    };
  }
}
