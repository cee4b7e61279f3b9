import type { Collection } from '../engine/state.ts';
import { Deque } from './deque.ts';

/** What a FIFO queue answered to the first send of a deduplication id. */
export interface StoredSend {
  readonly id: string;
  readonly sequence: number;
  readonly sentAtMs: number;
}

/** "Within the 5-minute deduplication interval": SendMessage in the SQS API reference. */
export const DEDUPLICATION_MS = 300_000;

/** Remembers the sends of the last five minutes, deleted messages included. All windows are equal, so ids expire in line. */
export class Deduplication {
  private readonly sends: Collection<StoredSend>;
  private readonly line = new Deque<{ readonly key: string; readonly sentAtMs: number }>();

  constructor(sends: Collection<StoredSend>) {
    this.sends = sends;
    const stored = [...sends.entries()].sort(([, a], [, b]) => a.sentAtMs - b.sentAtMs);
    for (const [key, { sentAtMs }] of stored) this.line.push({ key, sentAtMs });
  }

  find(key: string, nowMs: number): StoredSend | undefined {
    for (let first = this.line.at(0); first !== undefined; first = this.line.at(0)) {
      if (first.sentAtMs + DEDUPLICATION_MS > nowMs) break;
      this.line.shift();
      if (this.sends.get(first.key)?.sentAtMs === first.sentAtMs) this.sends.delete(first.key);
    }
    const send = this.sends.get(key);
    return send !== undefined && send.sentAtMs + DEDUPLICATION_MS > nowMs ? send : undefined;
  }

  remember(key: string, send: StoredSend): void {
    this.sends.set(key, send);
    this.line.push({ key, sentAtMs: send.sentAtMs });
  }
}

/** The scope of an id is its queue (a queue made anew remembers nothing), or its message group on a queue with DeduplicationScope messageGroup. */
export const deduplicationKey = (queue: string, groupId: string | undefined, id: string): string =>
  JSON.stringify(groupId === undefined ? [queue, id] : [queue, groupId, id]);
