import { createHash } from 'node:crypto';
import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { ec2Error } from './errors.ts';

interface Remembered<T> {
  readonly requestDigest: string;
  readonly result: T;
  readonly createdAt: number;
}

/** EC2 promises "at least 24 hours" for RunInstances; the same is kept for fleets. */
const LIFE_MS = 24 * 3_600_000;

/** Results by client token: a repeat gets the first result, a different request with the token an error. */
export class Idempotency<T> {
  private readonly context: EngineContext;
  private readonly results: Collection<Remembered<T>>;
  private readonly expiries = new Deadlines<string>();
  private readonly timer: WakeTimer;

  constructor(context: EngineContext, collection: string) {
    this.context = context;
    this.results = context.state.collection(collection);
    this.timer = new WakeTimer(context.clock, () => this.expire());
    for (const [token, { createdAt }] of this.results.entries()) this.expireLater(token, createdAt);
  }

  /** The earlier result, or the one that `carryOut` makes now. Throws IdempotentParameterMismatch. */
  once(token: string | undefined, request: object, carryOut: () => T): T {
    if (token === undefined) return carryOut();
    const requestDigest = createHash('sha256').update(canonical(request)).digest('hex');
    const known = this.results.get(token);
    if (known !== undefined) {
      if (known.requestDigest === requestDigest) return known.result;
      throw ec2Error(
        'IdempotentParameterMismatch',
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      );
    }
    const result = carryOut();
    const createdAt = this.context.clock.now();
    this.results.set(token, { requestDigest, result, createdAt });
    this.expireLater(token, createdAt);
    return result;
  }

  private expireLater(token: string, createdAt: number): void {
    this.expiries.add(token, createdAt + LIFE_MS);
    this.timer.need(this.expiries.earliestMs);
  }

  private expire(): void {
    const now = this.context.clock.now();
    for (let token = this.expiries.takeDue(now); token !== undefined; token = this.expiries.takeDue(now)) {
      this.results.delete(token);
    }
    this.timer.need(this.expiries.earliestMs);
  }
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
