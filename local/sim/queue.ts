import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { EngineClock } from '../engine/clock.ts';
import type { Random } from './random.ts';

export interface SimQueueOptions {
  readonly name: string;
  readonly clock: EngineClock;
  readonly random: Random;
  readonly batchSize: number;
  /** Deliveries at a time; of a FIFO queue, at most one per group. */
  readonly concurrency: number;
  readonly fifo: boolean;
  readonly visibilityMs: number;
  readonly maxReceives: number;
  /** The probability that a handled message comes again, or comes out of order. */
  readonly unruliness: () => number;
  readonly note: (line: () => string) => void;
  /** Rejects when the invocation is lost. */
  readonly deliver: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly group: string;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
  inFlight: boolean;
}

/** A queue with its Lambda poller: at least once, unordered unless FIFO, given up into `dead` after `maxReceives`. */
export class SimQueue {
  readonly name: string;
  readonly dead: Message[] = [];
  private readonly options: SimQueueOptions;
  private readonly messages: Message[] = [];
  private sent = 0;
  private running = 0;
  private pumpAt = Number.POSITIVE_INFINITY;

  constructor(options: SimQueueOptions) {
    this.options = options;
    this.name = options.name;
  }

  /** Messages that wait or are being handled. */
  get depth(): number {
    return this.messages.length;
  }

  send(body: string, { delayMs = 0, group = '' } = {}): void {
    const id = `${this.name}-${++this.sent}`;
    const visibleAt = this.options.clock.now() + delayMs;
    const sentAt = this.options.clock.now();
    this.messages.push({ id, body, group, sentAt, visibleAt, receives: 0, inFlight: false });
    this.pumpSoon(delayMs);
  }

  /** Gives the messages that were given up another round, as an operator does. */
  redrive(): number {
    const messages = this.dead.splice(0);
    this.options.note(() => `${this.name}: ${messages.length} messages are redriven`);
    for (const { body, group } of messages) this.send(body, { group });
    return messages.length;
  }

  /** Gives one of them another round. */
  redriveOne(id: string): boolean {
    const message = this.dead.find((candidate) => candidate.id === id);
    if (message === undefined) return false;
    this.options.note(() => `${id} is redriven`);
    this.send(message.body, { group: message.group });
    this.dead.splice(this.dead.indexOf(message), 1);
    return true;
  }

  private pumpSoon(delayMs: number): void {
    const { clock } = this.options;
    const at = clock.now() + delayMs;
    if (this.pumpAt <= at) return;
    this.pumpAt = at;
    clock.after(delayMs, () => {
      if (this.pumpAt !== at) return;
      this.pumpAt = Number.POSITIVE_INFINITY;
      this.pump();
    });
  }

  private pump(): void {
    while (this.running < this.options.concurrency) {
      const batch = this.receive();
      if (batch.length === 0) break;
      this.running += 1;
      void this.handle(batch);
    }
    const now = this.options.clock.now();
    const next = this.messages.reduce(
      (at, message) => (message.inFlight || message.visibleAt <= now ? at : Math.min(at, message.visibleAt)),
      Number.POSITIVE_INFINITY,
    );
    if (Number.isFinite(next)) this.pumpSoon(next - now);
  }

  private receive(): Message[] {
    const { clock, fifo, random, batchSize, unruliness } = this.options;
    const now = clock.now();
    const busy = new Set(this.messages.filter((message) => message.inFlight).map(({ group }) => group));
    const blocked = new Set<string>();
    const ready = this.messages.filter((message) => {
      if (message.inFlight) return false;
      if (!fifo) return message.visibleAt <= now;
      // A group's messages come in order: one that waits holds back those behind it.
      if (busy.has(message.group) || blocked.has(message.group)) return false;
      if (message.visibleAt > now) blocked.add(message.group);
      return message.visibleAt <= now;
    });
    if (!fifo && ready.length > 1 && random.chance(unruliness())) ready.reverse();
    const batch = ready.slice(0, batchSize);
    for (const message of batch) {
      message.inFlight = true;
      message.receives += 1;
    }
    return batch;
  }

  private async handle(batch: readonly Message[]): Promise<void> {
    const { clock, visibilityMs, maxReceives, random, fifo, unruliness, deliver } = this.options;
    let failed: ReadonlySet<string>;
    try {
      const response = await deliver({ Records: batch.map((message) => this.recordOf(message)) });
      failed = new Set(response?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    } catch {
      failed = new Set(batch.map(({ id }) => id));
    }
    this.running -= 1;
    for (const message of batch) {
      message.inFlight = false;
      message.visibleAt = clock.now() + visibilityMs;
      if (failed.has(message.id)) {
        if (message.receives >= maxReceives) this.giveUp(message);
      } else if (fifo || !random.chance(unruliness())) this.remove(message);
    }
    this.pumpSoon(0);
  }

  private giveUp(message: Message): void {
    this.remove(message);
    this.dead.push(message);
    this.options.note(() => `${message.id} is given up after ${message.receives} receives`);
  }

  private remove(message: Message): void {
    this.messages.splice(this.messages.indexOf(message), 1);
  }

  private recordOf(message: Message): SQSRecord {
    return {
      messageId: message.id,
      receiptHandle: message.id,
      body: message.body,
      attributes: {
        ApproximateReceiveCount: String(message.receives),
        SentTimestamp: '0',
        SenderId: 'sim',
        ApproximateFirstReceiveTimestamp: '0',
        ...(this.options.fifo && { MessageGroupId: message.group }),
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${this.name}`,
      awsRegion: 'us-east-1',
    };
  }
}
