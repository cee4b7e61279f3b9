import { Deque } from './deque.ts';
import type { QueuedMessage } from './message.ts';

/** In which order visible messages are handed out. The queue changes `state` first and then tells the order. */
export interface Order {
  /** A message came in, in any state. Messages come in by ascending sequence. */
  added(message: QueuedMessage): void;
  /** It became visible, `fromFlight` when it had been received before. */
  visible(message: QueuedMessage, fromFlight: boolean): void;
  /** It was received. */
  inFlight(message: QueuedMessage): void;
  /** It left the queue. */
  gone(message: QueuedMessage, fromFlight: boolean): void;
  /** The next message to hand out; the caller changes its state before it asks again. */
  next(): QueuedMessage | undefined;
  /** Ends a series of `next`. */
  settle(): void;
  /** Whether `next` would find one; may be wrongly true, never wrongly false. */
  readonly ready: boolean;
  clear(): void;
}

/** Standard queues: by the time of becoming visible, which is the best effort that the real service makes. */
export class StandardOrder implements Order {
  private readonly line = new Deque<QueuedMessage>();

  get ready(): boolean {
    return this.line.length > 0;
  }

  added(message: QueuedMessage): void {
    if (message.state === 'visible') this.line.push(message);
  }

  visible(message: QueuedMessage): void {
    this.line.push(message);
  }

  inFlight(): void {}

  gone(): void {
    while (this.line.at(0)?.state === 'gone') this.line.shift();
  }

  next(): QueuedMessage | undefined {
    for (let message = this.line.shift(); message !== undefined; message = this.line.shift()) {
      if (message.state === 'visible') return message;
    }
    return undefined;
  }

  settle(): void {}

  clear(): void {
    this.line.clear();
  }
}

interface Group {
  readonly id: string;
  /** By sequence; messages that are gone are skipped and dropped when they reach the head. */
  readonly line: Deque<QueuedMessage>;
  inFlight: number;
  /** In `readyGroups`. */
  queued: boolean;
}

/**
 * FIFO queues: strictly by sequence within a message group. A group gives nothing while one of its messages is in
 * flight; one receive may take several of the same group. Groups take turns in the order of becoming ready.
 */
export class FifoOrder implements Order {
  private readonly groups = new Map<string, Group>();
  private readonly readyGroups = new Deque<Group>();
  private current: Group | undefined;

  get ready(): boolean {
    return this.readyGroups.length > 0;
  }

  private groupOf(message: QueuedMessage): Group {
    const id = message.stored.groupId ?? '';
    let group = this.groups.get(id);
    if (group === undefined) {
      group = { id, line: new Deque(), inFlight: 0, queued: false };
      this.groups.set(id, group);
    }
    return group;
  }

  private offer(group: Group): void {
    while (group.line.at(0)?.state === 'gone') group.line.shift();
    if (group.line.length === 0) {
      if (group !== this.current) this.groups.delete(group.id);
      return;
    }
    if (group.queued || group === this.current || group.inFlight > 0) return;
    if (group.line.at(0)?.state !== 'visible') return;
    group.queued = true;
    this.readyGroups.push(group);
  }

  added(message: QueuedMessage): void {
    const group = this.groupOf(message);
    group.line.push(message);
    if (message.state === 'inFlight') group.inFlight++;
    else this.offer(group);
  }

  visible(message: QueuedMessage, fromFlight: boolean): void {
    const group = this.groupOf(message);
    if (fromFlight) group.inFlight--;
    this.offer(group);
  }

  inFlight(message: QueuedMessage): void {
    this.groupOf(message).inFlight++;
  }

  gone(message: QueuedMessage, fromFlight: boolean): void {
    const group = this.groupOf(message);
    if (fromFlight) group.inFlight--;
    this.offer(group);
  }

  next(): QueuedMessage | undefined {
    for (;;) {
      if (this.current !== undefined) {
        const message = nextOf(this.current);
        if (message !== undefined) return message;
        this.settle();
      }
      const group = this.readyGroups.shift();
      if (group === undefined) return undefined;
      group.queued = false;
      if (group.inFlight === 0 && this.groups.get(group.id) === group) this.current = group;
    }
  }

  settle(): void {
    const group = this.current;
    this.current = undefined;
    if (group !== undefined) this.offer(group);
  }

  clear(): void {
    this.groups.clear();
    this.readyGroups.clear();
    this.current = undefined;
  }
}

/** The first visible message behind nothing but messages that this very receive has taken. */
function nextOf(group: Group): QueuedMessage | undefined {
  for (let place = 0; ; place++) {
    const message = group.line.at(place);
    if (message === undefined || message.state === 'delayed') return undefined;
    if (message.state === 'visible') return message;
  }
}
