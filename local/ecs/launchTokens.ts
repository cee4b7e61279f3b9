import type { RunTaskCommandInput } from '@aws-sdk/client-ecs';
import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Arns } from './arn.ts';
import { invalidParameter } from './errors.ts';
import type { LaunchTokenRecord, TaskRecord } from './records.ts';
import type { EcsStore } from './store.ts';

const HOUR_MS = 3_600_000;
const MAX_LIFE_MS = 24 * HOUR_MS;

const keyOf = (cluster: string, token: string): string => `${cluster}/${token}`;

/**
 * RunTask's client tokens. One is valid within its cluster for the lower of 24 h and one hour after the last of its tasks
 * has stopped. A repeat gets the first call's result, its failures included: a launch that was refused is not tried again.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
 */
export class LaunchTokens {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly expiries = new Deadlines<string>();
  private readonly timer: WakeTimer;

  constructor(context: EngineContext, store: EcsStore, arns: Arns) {
    this.context = context;
    this.store = store;
    this.arns = arns;
    this.timer = new WakeTimer(context.clock, () => this.expire());
    for (const record of store.tokens.values()) this.schedule(record);
  }

  /** The earlier call with this token. Throws ConflictException when it asked for something else. */
  find(cluster: string, input: RunTaskCommandInput): LaunchTokenRecord | undefined {
    const token = input.clientToken;
    if (token === undefined) return undefined;
    if (!/^[\x21-\x7e]{1,64}$/.test(token))
      throw invalidParameter('clientToken has 1 to 64 ASCII characters 33-126.');
    const known = this.store.tokens.get(keyOf(cluster, token));
    if (known === undefined || this.expiryOf(known) <= this.context.clock.now()) return undefined;
    if (known.request !== canonical(input)) {
      throw new ServiceError(
        'ConflictException',
        'The client token has already been used with different request parameters.',
        400,
        { resourceIds: known.taskIds.map((id) => this.arns.task(cluster, id)) },
      );
    }
    return known;
  }

  remember(
    cluster: string,
    input: RunTaskCommandInput,
    tasks: readonly TaskRecord[],
    failures: LaunchTokenRecord['failures'],
  ): void {
    const token = input.clientToken;
    if (token === undefined) return;
    const record: LaunchTokenRecord = {
      cluster,
      token,
      request: canonical(input),
      taskIds: tasks.map((task) => task.id),
      failures,
      createdAt: this.context.clock.now(),
    };
    this.store.tokens.set(keyOf(cluster, token), record);
    this.schedule(record);
  }

  private expiryOf(record: LaunchTokenRecord): number {
    let lastStop = record.createdAt;
    for (const id of record.taskIds) {
      const task = this.store.task(record.cluster, id);
      if (task === undefined) continue;
      if (task.stoppedAt === undefined) return record.createdAt + MAX_LIFE_MS;
      lastStop = Math.max(lastStop, task.stoppedAt);
    }
    return Math.min(record.createdAt + MAX_LIFE_MS, lastStop + HOUR_MS);
  }

  private schedule(record: LaunchTokenRecord): void {
    this.expiries.add(keyOf(record.cluster, record.token), record.createdAt + HOUR_MS);
    this.timer.need(this.expiries.earliestMs);
  }

  private expire(): void {
    const now = this.context.clock.now();
    for (let key = this.expiries.takeDue(now); key !== undefined; key = this.expiries.takeDue(now)) {
      const record = this.store.tokens.get(key);
      if (record === undefined) continue;
      const expiresAt = this.expiryOf(record);
      if (expiresAt <= now) this.store.tokens.delete(key);
      // A task that still runs is looked at again when it could have been stopped for an hour.
      else this.expiries.add(key, Math.min(expiresAt, now + HOUR_MS));
    }
    this.timer.need(this.expiries.earliestMs);
  }
}

/** Everything asked for as text, whatever the order of its members. */
function canonical({ clientToken: _token, ...request }: RunTaskCommandInput): string {
  return JSON.stringify(sorted(request));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members = value as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(members).sort()) copy[key] = sorted(members[key]);
  return copy;
}
