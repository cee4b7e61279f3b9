import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import type { LogLine } from './logWriter.ts';

export interface LogEvent extends LogLine {
  readonly streamName: string;
  readonly ingestionMs: number;
  /** Ascending in the order of arrival, over all groups. */
  readonly sequence: number;
}

export interface LogStream {
  readonly name: string;
  readonly createdMs: number;
  readonly firstEventMs?: number;
  readonly lastEventMs?: number;
  readonly lastIngestionMs?: number;
}

interface StoredGroup {
  readonly name: string;
  readonly createdMs: number;
  readonly retentionDays?: number;
}

export interface LogBounds {
  /** Events a group keeps; 10,000 when absent. */
  readonly maxEvents?: number;
  /** Characters a group keeps; 16 Mi when absent. */
  readonly maxChars?: number;
  /** Streams a group keeps; 2,000 when absent: each function worker has one. */
  readonly maxStreams?: number;
}

const MAX_GROUPS = 1_000;
const DAY_MS = 86_400_000;

const missing = (what: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', `The specified log ${what} does not exist.`);

/** One log group: its latest events in the order of arrival, whatever stream they are of. */
export class LogGroup {
  readonly name: string;
  readonly createdMs: number;
  readonly streams = new Map<string, LogStream>();
  retentionDays: number | undefined;
  #events: LogEvent[] = [];
  #chars = 0;
  readonly #bounds: Required<LogBounds>;

  constructor(stored: StoredGroup, bounds: Required<LogBounds>) {
    this.name = stored.name;
    this.createdMs = stored.createdMs;
    this.retentionDays = stored.retentionDays;
    this.#bounds = bounds;
  }

  get storedChars(): number {
    return this.#chars;
  }

  stream(name: string): LogStream {
    const stream = this.streams.get(name);
    if (!stream) throw missing('stream');
    return stream;
  }

  createStream(name: string, nowMs: number): void {
    this.streams.set(name, { name, createdMs: nowMs });
    for (const oldest of this.streams.keys()) {
      if (this.streams.size <= this.#bounds.maxStreams) break;
      this.deleteStream(oldest);
    }
  }

  deleteStream(name: string): void {
    this.streams.delete(name);
    this.#events = this.#events.filter((event) => event.streamName !== name);
    this.#chars = this.#events.reduce((sum, event) => sum + event.message.length, 0);
  }

  append(streamName: string, lines: readonly LogLine[], nowMs: number, nextSequence: () => number): void {
    const stream = this.stream(streamName);
    let { firstEventMs = Number.POSITIVE_INFINITY, lastEventMs = 0 } = stream;
    for (const line of lines) {
      this.#events.push({ ...line, streamName, ingestionMs: nowMs, sequence: nextSequence() });
      this.#chars += line.message.length;
      firstEventMs = Math.min(firstEventMs, line.timestampMs);
      lastEventMs = Math.max(lastEventMs, line.timestampMs);
    }
    if (lines.length > 0) {
      this.streams.set(streamName, { ...stream, firstEventMs, lastEventMs, lastIngestionMs: nowMs });
    }
    this.#evict();
  }

  /** Events in the order of their timestamps, those of equal time in the order of arrival. */
  events(nowMs: number, wanted: (event: LogEvent) => boolean): LogEvent[] {
    const oldestMs = this.retentionDays === undefined ? 0 : nowMs - this.retentionDays * DAY_MS;
    const found = this.#events.filter((event) => event.timestampMs >= oldestMs && wanted(event));
    return found.sort(
      (left, right) => left.timestampMs - right.timestampMs || left.sequence - right.sequence,
    );
  }

  #evict(): void {
    const { maxEvents, maxChars } = this.#bounds;
    let drop = 0;
    // A tenth at a time, so that a full group does not move its whole array for every line.
    const slack = Math.ceil(maxEvents / 10);
    if (this.#events.length > maxEvents + slack || this.#chars > maxChars * 1.1) {
      while (this.#events.length - drop > maxEvents || this.#chars > maxChars) {
        this.#chars -= this.#events[drop]?.message.length ?? 0;
        drop += 1;
      }
    }
    if (drop > 0) this.#events.splice(0, drop);
  }
}

/** All log groups. Groups outlive the process; events are the latest of this run, held in memory. */
export class LogStore {
  readonly #context: EngineContext;
  readonly #bounds: Required<LogBounds>;
  readonly #stored: Collection<StoredGroup>;
  readonly #groups = new Map<string, LogGroup>();
  #sequence = 0;

  constructor(context: EngineContext, bounds: LogBounds) {
    this.#context = context;
    this.#bounds = { maxEvents: 10_000, maxChars: 16 * 2 ** 20, maxStreams: 2_000, ...bounds };
    this.#stored = context.state.collection<StoredGroup>('logs.groups');
    for (const stored of this.#stored.values())
      this.#groups.set(stored.name, new LogGroup(stored, this.#bounds));
  }

  groups(): LogGroup[] {
    return [...this.#groups.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  find(name: string): LogGroup | undefined {
    return this.#groups.get(name);
  }

  get(name: string): LogGroup {
    const group = this.#groups.get(name);
    if (!group) throw missing('group');
    return group;
  }

  create(name: string): LogGroup {
    if (this.#groups.size >= MAX_GROUPS)
      throw new ServiceError('LimitExceededException', 'Resource limit exceeded.');
    const stored = { name, createdMs: this.#context.clock.now() };
    this.#stored.set(name, stored);
    const group = new LogGroup(stored, this.#bounds);
    this.#groups.set(name, group);
    return group;
  }

  delete(name: string): void {
    this.get(name);
    this.#groups.delete(name);
    this.#stored.delete(name);
  }

  retain(name: string, retentionDays: number | undefined): void {
    const group = this.get(name);
    group.retentionDays = retentionDays;
    const { createdMs } = group;
    this.#stored.set(name, { name, createdMs, ...(retentionDays === undefined ? {} : { retentionDays }) });
  }

  append(group: LogGroup, streamName: string, lines: readonly LogLine[]): void {
    group.append(streamName, lines, this.#context.clock.now(), () => ++this.#sequence);
  }
}
