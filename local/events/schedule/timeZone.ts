import type { WallTime } from './cron.ts';

/** Wall time in a time zone and back. */
export interface TimeZone {
  toWall(epochMs: number): WallTime;
  /** Epoch ms of a wall time: the earlier of two when clocks go back, undefined when they jump over it. */
  toEpochMs(wall: WallTime): number | undefined;
}

const utcMs = ({ year, month, day, hour, minute }: WallTime): number =>
  Date.UTC(year, month - 1, day, hour, minute);

const wallOf = (ms: number): WallTime => {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  };
};

export const utc: TimeZone = { toWall: wallOf, toEpochMs: utcMs };

const HOUR_MS = 3_600_000;

/** A zone of the IANA database, e.g. `Europe/Berlin`; undefined when there is none of that name. */
export function timeZone(name: string): TimeZone | undefined {
  if (name === 'UTC') return utc;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch {
    return undefined;
  }
  const toWall = (epochMs: number): WallTime => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochMs)) part[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
    return { year, month, day, hour, minute };
  };
  return {
    toWall,
    toEpochMs(wall) {
      const targetMs = utcMs(wall);
      // The offsets half a day before and after are the only ones in question; the larger one gives the earlier moment.
      const offsets = [targetMs - 14 * HOUR_MS, targetMs + 14 * HOUR_MS].map((ms) => utcMs(toWall(ms)) - ms);
      for (const offsetMs of offsets.sort((a, b) => b - a)) {
        const epochMs = targetMs - offsetMs;
        if (utcMs(toWall(epochMs)) === targetMs) return epochMs;
      }
      return undefined;
    },
  };
}
