import type { HistoryItemType } from '@aws-sdk/client-cloudwatch';
import type { EngineClock } from '../engine/clock.ts';

export interface HistoryItem {
  readonly alarmName: string;
  readonly type: HistoryItemType;
  readonly summary: string;
  /** JSON text. */
  readonly data: string;
  readonly atMs: number;
}

const MAX_ITEMS = 5_000;

/** What happened to the alarms in this run, latest last. */
export class AlarmHistory {
  readonly #clock: EngineClock;
  #items: HistoryItem[] = [];

  constructor(clock: EngineClock) {
    this.#clock = clock;
  }

  add(alarmName: string, type: HistoryItemType, summary: string, data: object = {}): void {
    this.#items.push({ alarmName, type, summary, data: JSON.stringify(data), atMs: this.#clock.now() });
    if (this.#items.length > MAX_ITEMS * 1.1) this.#items = this.#items.slice(-MAX_ITEMS);
  }

  all(): readonly HistoryItem[] {
    return this.#items;
  }
}
