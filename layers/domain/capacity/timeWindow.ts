import type { TimeWindow } from '../model/disruption.ts';

const MINUTES_A_DAY = 1440;
const MINUTE_MS = 60_000;
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4;

/** Whether the moment lies within the window. A window over midnight belongs to the day on which it begins. */
export function isWithin({ days, fromMinute, toMinute }: TimeWindow, nowMs: number): boolean {
  const minutes = Math.floor(nowMs / MINUTE_MS);
  const minute = minutes % MINUTES_A_DAY;
  const day = (Math.floor(minutes / MINUTES_A_DAY) + FIRST_WEEKDAY) % 7;
  const on = (weekday: number): boolean => days === undefined || days.includes(weekday);
  if (fromMinute < toMinute) return on(day) && minute >= fromMinute && minute < toMinute;
  return (on(day) && minute >= fromMinute) || (on((day + 6) % 7) && minute < toMinute);
}
