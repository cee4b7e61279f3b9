import { StoreUnavailable } from '../../layers/ports/store.ts';
import type { FaultRates } from './faultRates.ts';
import type { Random } from './random.ts';

/** What an invocation needs of its surroundings. */
export interface Weather {
  readonly random: Random;
  readonly rates: () => FaultRates;
  sleep(ms: number): Promise<void>;
  note(line: () => string): void;
  /** Asked at every call with its number in the run; says where to crash, for runs that try every point. */
  crashAt?(point: number): 'before' | 'after' | undefined;
  nextPoint(): number;
}

/** Ports whose calls may fail as a whole; ECS and EC2 have faults of their own, inside the engines. */
const failing: ReadonlySet<string> = new Set(['store', 'bus']);

/** A promise that never settles: code behind it is dead, and no `catch` or `finally` of it runs. */
const never = <T>(): Promise<T> => new Promise<T>(() => {});

const ZOMBIE_MEAN_MS = 60_000;
const SLOW_MEAN_MS = 1_000;

/**
 * One run of a handler. Every call of a port passes through `at`, which is where its process may die, its call be lost,
 * late or answered with an error, or Lambda may give it up while it goes on.
 */
export class Invocation {
  readonly name: string;
  /** Rejects when the process dies or Lambda gives it up. */
  readonly lost: Promise<never>;
  private readonly weather: Weather;
  private lose: (reason: Error) => void = () => {};
  private dead = false;

  constructor(name: string, weather: Weather) {
    this.name = name;
    this.weather = weather;
    this.lost = new Promise<never>((_, reject) => {
      this.lose = reject;
    });
    this.lost.catch(() => {});
  }

  /** The same port, with every method passing through `at`. */
  wrap<Port extends object>(portName: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, method, receiver) => {
        const value: unknown = Reflect.get(target, method, receiver);
        if (typeof value !== 'function' || typeof method !== 'string') return value;
        return (...args: unknown[]) => this.at(portName, method, () => value.apply(target, args));
      },
    });
  }

  /** Lambda's own end of an invocation that took too long: the message comes again, the code may go on. */
  giveUp(reason: string): void {
    this.lose(new Error(reason));
  }

  private async at<T>(port: string, method: string, perform: () => Promise<T>): Promise<T> {
    if (this.dead) return never();
    const { random, weather, rates } = this.draw();
    const point = weather.nextPoint();
    const planned = weather.crashAt?.(point);
    if (planned === 'before' || random.chance(rates.crash / 2)) return this.die(`before ${port}.${method}`);
    if (failing.has(port) && random.chance(rates.refusedCall)) {
      weather.note(() => `${this.name}: ${port}.${method} fails and did nothing`);
      throw new StoreUnavailable(`${port}.${method} was refused`);
    }
    if (random.chance(rates.zombie)) {
      weather.note(() => `${this.name}: given up by Lambda at ${port}.${method}, which goes on`);
      this.lose(new Error('Task timed out'));
      await weather.sleep(random.around(ZOMBIE_MEAN_MS));
    } else if (random.chance(rates.slowCall)) await weather.sleep(random.around(SLOW_MEAN_MS));
    if (this.dead) return never();
    const result = await perform();
    if (this.dead) return never();
    if (planned === 'after' || random.chance(rates.crash / 2)) return this.die(`after ${port}.${method}`);
    if (failing.has(port) && random.chance(rates.lostAnswer)) {
      weather.note(() => `${this.name}: ${port}.${method} took effect and answered with an error`);
      throw new StoreUnavailable(`${port}.${method} timed out`);
    }
    return result;
  }

  private draw() {
    const { weather } = this;
    return { weather, random: weather.random, rates: weather.rates() };
  }

  private die<T>(where: string): Promise<T> {
    this.weather.note(() => `${this.name}: its process dies ${where}`);
    this.dead = true;
    this.lose(new Error(`crashed ${where}`));
    return never();
  }
}
