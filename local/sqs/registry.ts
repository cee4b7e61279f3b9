import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { Deduplication, deduplicationKey, type StoredSend } from './deduplication.ts';
import { missingParameter, queueDoesNotExist } from './errors.ts';
import type { QueuedMessage, StoredMessage, StoredReceive } from './message.ts';
import { messageKey, Queue, type QueueHost, type StoredQueue } from './queue.ts';

/** All queues of the account and Region, and the records behind them. */
export class Registry implements QueueHost {
  readonly context: EngineContext;
  readonly messages: Collection<StoredMessage>;
  readonly receives: Collection<StoredReceive>;
  readonly deduplication: Deduplication;
  private readonly stored: Collection<StoredQueue>;
  private readonly queues = new Map<string, Queue>();
  private readonly baseUrl: string;
  private lastSequence = 0;

  constructor(context: EngineContext, baseUrl: string) {
    this.context = context;
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.stored = context.state.collection('sqs.queues');
    this.messages = context.state.collection('sqs.messages');
    this.receives = context.state.collection('sqs.receives');
    this.deduplication = new Deduplication(context.state.collection<StoredSend>('sqs.sends'));
    this.load();
  }

  private load(): void {
    for (const stored of this.stored.values()) this.queues.set(stored.name, new Queue(this, stored));
    const messages = [...this.messages.values()].sort((a, b) => a.sequence - b.sequence);
    this.lastSequence = messages.at(-1)?.sequence ?? 0;
    for (const message of messages) {
      const key = messageKey(message);
      const queue = this.queues.get(message.queue);
      if (queue === undefined) {
        this.messages.delete(key);
        this.receives.delete(key);
        continue;
      }
      queue.add(message, this.receives.get(key));
    }
    for (const queue of this.queues.values()) queue.flush();
  }

  sendKey(queue: Queue, groupId: string | undefined, deduplicationId: string): string {
    const identity = `${queue.name}@${queue.stored.createdAtMs}`;
    return deduplicationKey(
      identity,
      queue.settings.deduplicatePerGroup ? groupId : undefined,
      deduplicationId,
    );
  }

  /** A microsecond-like number: it grows over restarts even when every message of before is gone. */
  nextSequence(): number {
    this.lastSequence = Math.max(this.lastSequence + 1, this.context.clock.now() * 1000);
    return this.lastSequence;
  }

  deadLetter(source: Queue, message: QueuedMessage): boolean {
    const arn = source.settings.redrive?.deadLetterTargetArn;
    const target = arn === undefined ? undefined : this.findByArn(arn);
    if (target === undefined) {
      this.context.log(
        `sqs: the dead-letter queue of ${source.name} does not exist; ${message.stored.id} stays`,
      );
      return false;
    }
    const { delayedUntilMs: _delay, ...stored } = message.stored;
    target.insert({
      ...stored,
      queue: target.name,
      sequence: this.nextSequence(),
      sourceArn: source.arn,
      receivedBefore: (stored.receivedBefore ?? 0) + (message.receive?.count ?? 0),
      // A FIFO dead-letter queue counts retention from the move, a standard one from the first send.
      sentAtMs: target.settings.fifo ? this.context.clock.now() : stored.sentAtMs,
    });
    target.flush();
    return true;
  }

  get size(): number {
    return this.queues.size;
  }

  all(): IterableIterator<Queue> {
    return this.queues.values();
  }

  find(name: string): Queue | undefined {
    return this.queues.get(name);
  }

  findByArn(arn: string): Queue | undefined {
    const [, , service, region, accountId, name] = arn.split(':');
    const { context } = this;
    if (service !== 'sqs' || region !== context.region || accountId !== context.accountId) return undefined;
    return this.queues.get(name ?? '');
  }

  byArn(arn: string): Queue {
    const queue = this.findByArn(arn);
    if (queue === undefined) throw queueDoesNotExist();
    return queue;
  }

  url(queue: Queue): string {
    return `${this.baseUrl}/${this.context.accountId}/${queue.name}`;
  }

  /** Any host will do: the same endpoint has other names inside containers. */
  byUrl(url: string | undefined): Queue {
    if (url === undefined || url === '') throw missingParameter('QueueUrl');
    const path = /^https?:\/\/[^/]+\/(\d{12})\/([\w.-]+)$/.exec(url);
    if (path === null) {
      throw new ServiceError('InvalidAddress', `The address ${url} is not valid for this endpoint.`, 404);
    }
    const [, accountId, name] = path;
    const queue = accountId === this.context.accountId ? this.queues.get(name ?? '') : undefined;
    if (queue === undefined) throw queueDoesNotExist();
    return queue;
  }

  create(stored: StoredQueue): Queue {
    const queue = new Queue(this, stored);
    this.stored.set(stored.name, stored);
    this.queues.set(stored.name, queue);
    return queue;
  }

  update(queue: Queue, stored: StoredQueue): void {
    queue.configure(stored);
    this.stored.set(stored.name, stored);
  }

  remove(queue: Queue): void {
    queue.stop();
    queue.purge();
    this.queues.delete(queue.name);
    this.stored.delete(queue.name);
  }
}
