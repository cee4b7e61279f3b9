import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Task } from '../../layers/domain/model/task.ts';
import { toImage } from '../../layers/store/expression.ts';
import { taskItem } from '../../layers/store/taskItem.ts';
import type { EngineClock } from '../engine/clock.ts';

export interface SimStreamOptions {
  readonly clock: EngineClock;
  /** Rejects when the invocation is lost. */
  readonly deliver: (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse | undefined>;
}

const BATCH_SIZE = 100;
const RETRY_MS = 1_000;

type Image = Record<string, AttributeValue>;

/** The table's stream of one shard: changes in order, each batch again until the handler is through with it. */
export class SimStream {
  private readonly options: SimStreamOptions;
  private readonly records: DynamoDBRecord[] = [];
  private readonly images = new Map<string, Image>();
  private sequence = 0;
  private busy = false;

  constructor(options: SimStreamOptions) {
    this.options = options;
  }

  get depth(): number {
    return this.records.length;
  }

  taskWritten(task: Task): void {
    const before = this.images.get(task.taskId);
    const after = toImage(taskItem(task, 1));
    this.images.set(task.taskId, after);
    // Lambda's types and the SDK's spell the same JSON differently.
    const images = {
      NewImage: after,
      ...(before !== undefined && { OldImage: before }),
    } as unknown as NonNullable<DynamoDBRecord['dynamodb']>;
    const SequenceNumber = String(++this.sequence);
    this.records.push({
      eventName: before === undefined ? 'INSERT' : 'MODIFY',
      dynamodb: { ...images, SequenceNumber },
    });
    this.pumpAfter(0);
  }

  private pumpAfter(delayMs: number): void {
    if (this.busy) return;
    this.busy = true;
    this.options.clock.after(delayMs, () => this.pump());
  }

  private async pump(): Promise<void> {
    const batch = this.records.slice(0, BATCH_SIZE);
    let handled = 0;
    try {
      const response = await this.options.deliver({ Records: batch });
      const failed = response?.batchItemFailures[0]?.itemIdentifier;
      handled =
        failed === undefined
          ? batch.length
          : batch.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed);
    } catch {
      handled = 0;
    }
    this.records.splice(0, handled);
    this.busy = false;
    if (this.records.length > 0) this.pumpAfter(handled === batch.length ? 0 : RETRY_MS);
  }
}
