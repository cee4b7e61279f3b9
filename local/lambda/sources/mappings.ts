import { type Deliverer, ServiceError } from '../../engine/service.ts';
import type { Collection } from '../../engine/state.ts';
import { recordFilter } from './filter.ts';
import { isStream, type MappingRecord, type MappingSpec, mappingRecord } from './mapping.ts';
import { type BatchInHand, type PollerParts, QueuePoller } from './queuePoller.ts';
import type { QueueSource } from './queueSource.ts';
import { StreamPoller } from './streamPoller.ts';
import type { ShardProgress, StreamSource } from './streamSource.ts';

/** Finds event sources by ARN; undefined when there is none of that ARN. */
export interface EventSources {
  queue(arn: string): QueueSource | undefined;
  stream(arn: string): StreamSource | undefined;
}

export interface MappingsParts extends PollerParts {
  readonly deliverer: Deliverer;
  readonly sources: EventSources;
  readonly failedMessageDelayMs?: number;
}

interface Poller {
  pump(): void;
  stop(): void | Promise<void>;
}

/** The event source mappings of the account, and the pollers of the enabled ones. */
export class Mappings {
  readonly #parts: MappingsParts;
  readonly #records: Collection<MappingRecord>;
  readonly #checkpoints: Collection<ShardProgress>;
  readonly #inHand: Collection<BatchInHand>;
  /** What an earlier process had in hand when it was killed. */
  #left: readonly (readonly [string, BatchInHand])[];
  readonly #pollers = new Map<string, Poller>();
  #started = false;

  constructor(parts: MappingsParts) {
    this.#parts = parts;
    this.#records = parts.context.state.collection<MappingRecord>('lambda.mappings');
    this.#checkpoints = parts.context.state.collection<ShardProgress>('lambda.checkpoints');
    this.#inHand = parts.context.state.collection<BatchInHand>('lambda.inHand');
    this.#left = [...this.#inHand.entries()];
    parts.invoker.concurrency.onFree(() => {
      for (const poller of this.#pollers.values()) poller.pump();
    });
  }

  all(): IterableIterator<MappingRecord> {
    return this.#records.values();
  }

  get(uuid: string | undefined): MappingRecord {
    const record = uuid === undefined ? undefined : this.#records.get(uuid);
    if (record) return record;
    throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, {
      Type: 'User',
    });
  }

  /** The mapping of a queue or stream to a function, of which there is at most one. */
  find(spec: Pick<MappingSpec, 'functionName' | 'eventSourceArn'>): MappingRecord | undefined {
    for (const record of this.#records.values()) {
      const same = record.functionName === spec.functionName && record.eventSourceArn === spec.eventSourceArn;
      if (same) return record;
    }
    return undefined;
  }

  /** Creates the mapping, or changes the one that is there: templates are applied again and again. */
  put(spec: MappingSpec, uuid = this.find(spec)?.uuid ?? this.#parts.invoker.newRequestId()): MappingRecord {
    const record = mappingRecord(spec, uuid, this.#parts.context.clock.now());
    const filter = recordFilter(record.filterPatterns ?? []);
    const { sources } = this.#parts;
    const source = isStream(record.eventSourceArn)
      ? sources.stream(record.eventSourceArn)
      : sources.queue(record.eventSourceArn);
    if (!source) {
      throw new ServiceError(
        'InvalidParameterValueException',
        `Error occurred while accessing the event source ${record.eventSourceArn}: it does not exist.`,
        400,
        { Type: 'User' },
      );
    }
    this.#records.set(uuid, record);
    if (this.#started) void this.#restart(record, filter);
    return record;
  }

  async delete(uuid: string): Promise<void> {
    this.#records.delete(uuid);
    await this.#stop(uuid);
    for (const [key] of [...this.#checkpoints.entries()]) {
      if (key.startsWith(`${uuid}/`)) this.#checkpoints.delete(key);
    }
  }

  /** Begins to carry messages; before that, mappings are only recorded. */
  start(): void {
    this.#started = true;
    this.#takeBack();
    for (const record of this.#records.values()) {
      void this.#restart(record, recordFilter(record.filterPatterns ?? []));
    }
  }

  async stop(): Promise<void> {
    this.#started = false;
    await Promise.all([...this.#pollers.keys()].map((uuid) => this.#stop(uuid)));
  }

  /**
   * Gives back what a killed engine had in hand: its workers died with it. The service's pollers do not die, so it has
   * nothing of the kind; here a FIFO group would stand still for a whole visibility timeout.
   */
  #takeBack(): void {
    for (const [key, { mapping, handles }] of this.#left) {
      const arn = this.#records.get(mapping)?.eventSourceArn;
      try {
        if (arn) this.#parts.sources.queue(arn)?.release(handles, 0);
      } catch (error) {
        this.#parts.context.log(`lambda: a message of ${arn} was not held any more: ${String(error)}`);
      }
      this.#inHand.delete(key);
    }
    this.#left = [];
  }

  async #stop(uuid: string): Promise<void> {
    const poller = this.#pollers.get(uuid);
    this.#pollers.delete(uuid);
    await poller?.stop();
  }

  async #restart(record: MappingRecord, filter: ReturnType<typeof recordFilter>): Promise<void> {
    await this.#stop(record.uuid);
    const isCurrent = this.#records.get(record.uuid) === record && !this.#pollers.has(record.uuid);
    if (!record.enabled || !this.#started || !isCurrent) return;
    const poller = this.#poller(record, filter);
    if (poller) this.#pollers.set(record.uuid, poller);
    else this.#parts.context.log(`lambda: the event source ${record.eventSourceArn} is gone`);
  }

  #poller(record: MappingRecord, filter: ReturnType<typeof recordFilter>): Poller | undefined {
    if (isStream(record.eventSourceArn)) {
      const stream = this.#parts.sources.stream(record.eventSourceArn);
      const parts = { ...this.#parts, checkpoints: this.#checkpoints };
      return stream && new StreamPoller(parts, record, stream, filter);
    }
    const queue = this.#parts.sources.queue(record.eventSourceArn);
    return queue && new QueuePoller({ ...this.#parts, inHand: this.#inHand }, record, queue, filter);
  }
}
