import { type Cron, parseCron } from './cron.ts';
import { type TimeZone, timeZone, utc } from './timeZone.ts';

/** When something is to run. */
export interface Schedule {
  readonly kind: 'rate' | 'cron' | 'at';
  /**
   * The first time after `afterMs`, in epoch ms; undefined when there is none. A rate counts from `baseMs`, the moment
   * its first period began.
   */
  next(afterMs: number, baseMs: number): number | undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MINUTE_MS = 60_000;
/** Clocks change twice a year: so many candidates that fall into a gap cannot follow each other. */
const MAXIMUM_GAPS = 400;

function rate(text: string): Schedule | undefined {
  const [, count = '', unit = '', plural = ''] = /^(\d{1,6}) (minute|hour|day)(s?)$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  const periodMs = Number(count) * (unitMs ?? 0);
  // `rate(1 minutes)` and `rate(5 minute)` are refused by the real service too.
  if (periodMs === 0 || (count === '1') === (plural === 's')) return undefined;
  return {
    kind: 'rate',
    next: (afterMs, baseMs) => baseMs + Math.max(1, Math.floor((afterMs - baseMs) / periodMs) + 1) * periodMs,
  };
}

function nextOf(cron: Cron, zone: TimeZone, afterMs: number): number | undefined {
  let fromMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  let wall = cron.next(zone.toWall(fromMs));
  for (let gaps = 0; wall !== undefined && gaps < MAXIMUM_GAPS; gaps++) {
    const epochMs = zone.toEpochMs(wall);
    // A time that the clocks jump over is left out, and one that they repeat runs only the first time.
    if (epochMs !== undefined && epochMs > afterMs) return epochMs;
    fromMs = utc.toEpochMs(wall) ?? fromMs;
    wall = cron.next(utc.toWall(fromMs + MINUTE_MS));
  }
  return undefined;
}

function at(text: string, zone: TimeZone): Schedule | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (new Date(`${text}Z`).toJSON()?.startsWith(text) !== true) return undefined;
  const minuteMs = zone.toEpochMs({ year, month, day, hour, minute });
  if (minuteMs === undefined) return undefined;
  const atMs = minuteMs + second * 1000;
  return { kind: 'at', next: (afterMs) => (atMs > afterMs ? atMs : undefined) };
}

/** Parses `rate(...)`, `cron(...)` or `at(...)`; undefined when it is none of them or the zone is unknown. */
export function parseSchedule(expression: string, zoneName = 'UTC'): Schedule | undefined {
  const [, kind, body = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  const zone = timeZone(zoneName);
  if (zone === undefined) return undefined;
  if (kind === 'rate') return rate(body);
  if (kind === 'at') return at(body, zone);
  const cron = kind === 'cron' ? parseCron(body) : undefined;
  return cron && { kind: 'cron', next: (afterMs) => nextOf(cron, zone, afterMs) };
}
