import type { Message as SdkMessage } from '@aws-sdk/client-sqs';
import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { receiptHandleIsInvalid } from './errors.ts';
import { type QueuedMessage, type StoredMessage, type StoredReceive, showMessage } from './message.ts';
import { FifoOrder, type Order, StandardOrder } from './order.ts';
import { parseSettings, type QueueAttributes, type Settings } from './settings.ts';
import { type ReceiveOptions, Waiters } from './waiters.ts';

export interface StoredQueue {
  readonly name: string;
  readonly attributes: QueueAttributes;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** What a queue shares with the engine it belongs to. */
export interface QueueHost {
  readonly context: EngineContext;
  readonly messages: Collection<StoredMessage>;
  readonly receives: Collection<StoredReceive>;
  /** Ascending over all queues and restarts. */
  nextSequence(): number;
  /** Puts the message into the dead-letter queue; false when that queue does not exist. */
  deadLetter(source: Queue, message: QueuedMessage): boolean;
}

/** Received and not yet deleted messages, standard and FIFO alike: ChangeMessageVisibility in the API reference. */
export const MAXIMUM_IN_FLIGHT = 120_000;
/** A message cannot stay in flight longer than this after its receive. */
const MAXIMUM_VISIBILITY_MS = 43_200_000;

/** One queue: who waits, who is in flight, until when. Every change is durable when the call returns. */
export class Queue {
  readonly arn: string;
  stored: StoredQueue;
  settings: Settings;
  readonly waiters: Waiters;
  readonly counts = { delayed: 0, visible: 0, inFlight: 0 };
  private readonly host: QueueHost;
  private readonly order: Order;
  private readonly messages = new Map<string, QueuedMessage>();
  private readonly visibility = new Deadlines<QueuedMessage>();
  private readonly retention = new Deadlines<QueuedMessage>();
  private readonly timer: WakeTimer;

  constructor(host: QueueHost, stored: StoredQueue) {
    const { region, accountId, clock } = host.context;
    this.host = host;
    this.stored = stored;
    this.settings = parseSettings(stored.attributes);
    this.arn = `arn:aws:sqs:${region}:${accountId}:${stored.name}`;
    this.order = this.settings.fifo ? new FifoOrder() : new StandardOrder();
    this.timer = new WakeTimer(clock, () => this.wake());
    this.waiters = new Waiters(clock, (options) => this.take(options));
  }

  get name(): string {
    return this.stored.name;
  }

  /** Epoch ms; undefined when the queue is empty. All messages are kept equally long, so the next to expire is the oldest. */
  get oldestSentAtMs(): number | undefined {
    const { earliestMs } = this.retention;
    return earliestMs === undefined ? undefined : earliestMs - this.settings.retentionMs;
  }

  configure(stored: StoredQueue): void {
    const { retentionMs } = this.settings;
    this.stored = stored;
    this.settings = parseSettings(stored.attributes);
    if (this.settings.retentionMs === retentionMs) return;
    for (const message of this.messages.values()) this.scheduleExpiry(message);
    this.wake();
  }

  /** Takes a message in, new or read back from the state; `flush` then hands it out. */
  add(stored: StoredMessage, receive?: StoredReceive): QueuedMessage {
    const nowMs = this.host.context.clock.now();
    const untilMs = receive?.visibleAtMs ?? stored.delayedUntilMs ?? 0;
    const hidden = receive === undefined ? 'delayed' : 'inFlight';
    const state = untilMs > nowMs ? hidden : 'visible';
    const message: QueuedMessage = {
      key: messageKey(stored),
      stored,
      state,
      receive,
      held: false,
      visibility: undefined,
      retention: undefined,
    };
    this.messages.set(message.key, message);
    this.counts[state]++;
    this.scheduleExpiry(message);
    if (untilMs > nowMs) this.hideUntil(message, untilMs);
    this.order.added(message);
    return message;
  }

  /** Stores a new message before anyone can see it. */
  insert(stored: StoredMessage): void {
    this.host.messages.set(messageKey(stored), stored);
    this.add(stored);
  }

  /** Serves long polls and tells listeners; called once per change, however many messages it brought. */
  flush(): void {
    this.waiters.serve(() => this.order.ready);
  }

  /** Receives what is visible now, up to `max`. */
  take(options: ReceiveOptions): SdkMessage[] {
    return this.host.context.state.atomically(() => this.takeVisible(options));
  }

  private takeVisible({ max, visibilityTimeoutMs, shown }: ReceiveOptions): SdkMessage[] {
    this.runDeadlines();
    const { clock, accountId } = this.host.context;
    const nowMs = clock.now();
    const received: SdkMessage[] = [];
    while (received.length < max && this.counts.inFlight < MAXIMUM_IN_FLIGHT) {
      const message = this.order.next();
      if (message === undefined) break;
      if (this.isExhausted(message) && this.host.deadLetter(this, message)) {
        this.forget(message);
        continue;
      }
      if (this.isHeldBack(message, nowMs)) continue;
      const receive: StoredReceive = {
        count: (message.receive?.count ?? 0) + 1,
        firstAtMs: message.receive?.firstAtMs ?? nowMs,
        atMs: nowMs,
        visibleAtMs: nowMs + visibilityTimeoutMs,
        receipt: this.newReceipt(message),
      };
      this.setReceive(message, receive);
      message.held = false;
      this.setState(message, 'inFlight');
      this.order.inFlight(message);
      this.hideUntil(message, receive.visibleAtMs);
      received.push(showMessage(message, receive, accountId, shown));
    }
    this.order.settle();
    // A visibility timeout of zero leaves the message visible: that is due now.
    if (visibilityTimeoutMs === 0) this.runDeadlines();
    return received;
  }

  /** Deletes by receipt handle. */
  delete(receipt: string): void {
    const message = this.byReceipt(receipt);
    if (message === undefined || message.receive?.receipt !== receipt) {
      // Standard queues accept an outdated handle and do nothing: the message now belongs to a later receive.
      if (this.settings.fifo && message !== undefined) throw this.expired(receipt);
      return;
    }
    if (this.settings.fifo && message.state !== 'inFlight') throw this.expired(receipt);
    this.host.context.state.atomically(() => this.forget(message));
    this.flush();
  }

  changeVisibility(receipt: string, timeoutMs: number): void {
    const message = this.byReceipt(receipt);
    if (message === undefined || message.state !== 'inFlight' || message.receive?.receipt !== receipt) {
      throw new ServiceError(
        'MessageNotInflight',
        `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      );
    }
    const nowMs = this.host.context.clock.now();
    if (nowMs + timeoutMs > message.receive.atMs + MAXIMUM_VISIBILITY_MS) {
      throw new ServiceError(
        'InvalidParameterValue',
        `Value ${timeoutMs / 1000} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].`,
      );
    }
    this.setReceive(message, { ...message.receive, visibleAtMs: nowMs + timeoutMs });
    this.hideUntil(message, nowMs + timeoutMs);
    if (timeoutMs === 0) this.wake();
  }

  /** Moves the next visible message elsewhere with `store`; false when none is visible or `store` refused it. */
  moveNext(store: (message: QueuedMessage) => boolean): boolean {
    this.runDeadlines();
    const message = this.order.next();
    const stored = message !== undefined && store(message);
    if (stored) this.forget(message);
    else if (message !== undefined) this.order.visible(message, false);
    this.order.settle();
    return stored;
  }

  purge(): void {
    for (const message of this.messages.values()) this.dropRecords(message);
    this.messages.clear();
    this.visibility.clear();
    this.retention.clear();
    this.order.clear();
    Object.assign(this.counts, { delayed: 0, visible: 0, inFlight: 0 });
  }

  /** Ends timers and long polls; the messages stay stored. */
  stop(): void {
    this.timer.stop();
    this.waiters.stop();
  }

  private isExhausted(message: QueuedMessage): boolean {
    const { redrive } = this.settings;
    return redrive !== undefined && (message.receive?.count ?? 0) >= redrive.maxReceiveCount;
  }

  /** Draws the fault of this delivery. Order and the exactly-once promise of FIFO queues hold under every fault. */
  private isHeldBack(message: QueuedMessage, nowMs: number): boolean {
    if (message.held || message.stored.copy === true) return false;
    const fault = this.host.context.faults.at('sqs.deliver', this.name);
    if (fault?.kind === 'delay') {
      message.held = true;
      this.setState(message, 'delayed');
      this.hideUntil(message, nowMs + fault.delayMs);
      return true;
    }
    if (fault?.kind === 'duplicate' && !this.settings.fifo) {
      for (let copy = 0; copy < fault.copies; copy++) {
        this.insert({ ...message.stored, sequence: this.host.nextSequence(), copy: true });
      }
    }
    return false;
  }

  private wake(): void {
    this.runDeadlines();
    this.flush();
    this.timer.need(this.visibility.earliestMs);
    this.timer.need(this.retention.earliestMs);
  }

  private runDeadlines(): void {
    const nowMs = this.host.context.clock.now();
    for (let gone = this.retention.takeDue(nowMs); gone !== undefined; gone = this.retention.takeDue(nowMs)) {
      this.forget(gone);
    }
    for (;;) {
      const message = this.visibility.takeDue(nowMs);
      if (message === undefined) return;
      const fromFlight = message.state === 'inFlight';
      this.setState(message, 'visible');
      this.order.visible(message, fromFlight);
    }
  }

  private hideUntil(message: QueuedMessage, atMs: number): void {
    if (message.visibility === undefined) message.visibility = this.visibility.add(message, atMs);
    else this.visibility.move(message.visibility, atMs);
    this.timer.need(atMs);
  }

  private scheduleExpiry(message: QueuedMessage): void {
    const atMs = message.stored.sentAtMs + this.settings.retentionMs;
    if (message.retention === undefined) message.retention = this.retention.add(message, atMs);
    else this.retention.move(message.retention, atMs);
    this.timer.need(atMs);
  }

  private setState(message: QueuedMessage, state: QueuedMessage['state']): void {
    if (message.state !== 'gone') this.counts[message.state]--;
    if (state !== 'gone') this.counts[state]++;
    message.state = state;
  }

  private setReceive(message: QueuedMessage, receive: StoredReceive): void {
    message.receive = receive;
    this.host.receives.set(message.key, receive);
  }

  private forget(message: QueuedMessage): void {
    const fromFlight = message.state === 'inFlight';
    this.setState(message, 'gone');
    this.messages.delete(message.key);
    if (message.visibility !== undefined) this.visibility.remove(message.visibility);
    if (message.retention !== undefined) this.retention.remove(message.retention);
    this.dropRecords(message);
    this.order.gone(message, fromFlight);
  }

  private dropRecords(message: QueuedMessage): void {
    this.host.messages.delete(message.key);
    if (message.receive !== undefined) this.host.receives.delete(message.key);
  }

  /** A handle names its message, so that finding it needs no index. */
  private newReceipt(message: QueuedMessage): string {
    const nonce = `${message.receive?.count ?? 0}-${this.host.context.hex(16)}`;
    return Buffer.from(`${message.key}#${nonce}`).toString('base64');
  }

  private byReceipt(receipt: string): QueuedMessage | undefined {
    const [key, nonce] = Buffer.from(receipt, 'base64').toString().split('#');
    if (key === undefined || nonce === undefined || !key.startsWith(`${this.name}/`)) {
      throw receiptHandleIsInvalid(receipt);
    }
    return this.messages.get(key);
  }

  private expired(receipt: string): ServiceError {
    return new ServiceError(
      'InvalidParameterValue',
      `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
    );
  }
}

export const messageKey = ({ queue, sequence }: StoredMessage): string => `${queue}/${sequence}`;
