import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Host } from '../../layers/domain/model/host.ts';
import type { CapacityOrder } from '../../layers/domain/model/pool.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import { type Item, toImage } from '../../layers/store/expression.ts';
import { announcedOf, hostItems } from '../../layers/store/hostItem.ts';
import { orderItem } from '../../layers/store/orders.ts';
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
    this.written(task.taskId, taskItem(task, 1));
  }

  orderWritten(order: CapacityOrder): void {
    this.written(`${order.cluster}/${order.pool}`, orderItem(order));
  }

  /** The record that changes; what is said beside it of a host that leaves goes along, as in the table. */
  hostWritten(hostId: string, host: Host | undefined): void {
    const items = host && hostItems(host, 0);
    const leaving = host?.state === 'TERMINATING' && items && { leaving: announcedOf(items.info) };
    this.written(hostId, items && { ...items.hot, ...leaving });
  }

  private written(key: string, item: Item | undefined): void {
    const before = this.images.get(key);
    const after = item && toImage(item);
    if (after === undefined) this.images.delete(key);
    else this.images.set(key, after);
    // Lambda's types and the SDK's spell the same JSON differently.
    const images = {
      ...(after !== undefined && { NewImage: after }),
      ...(before !== undefined && { OldImage: before }),
    } as unknown as NonNullable<DynamoDBRecord['dynamodb']>;
    const SequenceNumber = String(++this.sequence);
    this.records.push({
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
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
