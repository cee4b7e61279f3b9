/** A moment on the wall clock of some time zone, to the minute. `month` is 1-12. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

export interface Cron {
  /** The first matching wall time at or after `from`; undefined when there is none up to the last year. */
  next(from: WallTime): WallTime | undefined;
}

const LAST_YEAR = 2199;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Range {
  readonly least: number;
  readonly most: number;
  /** Names of the values from `least` on. */
  readonly names?: readonly string[];
}

const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
/** 1 is Sunday, as in the expression. */
const weekday = (year: number, month: number, day: number): number =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;

function numberOf(text: string, { least, most, names = [] }: Range): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? least + named : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}

/** The values of a list of `*`, `a`, `a-b`, each with an optional `/step`, ascending; undefined when it is malformed. */
function valuesOf(text: string, range: Range): number[] | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,4}))?$/.exec(part);
    if (match === null) return undefined;
    const [, from = '', to, stepText] = match;
    if (from === '*' && to !== undefined) return undefined;
    const first = from === '*' ? range.least : numberOf(from, range);
    const open = from === '*' || stepText !== undefined ? range.most : first;
    const last = to === undefined ? open : numberOf(to, range);
    const step = Number(stepText ?? 1);
    if (first === undefined || last === undefined || step < 1) return undefined;
    if (first <= last) for (let value = first; value <= last; value += step) values.add(value);
    // FRI-MON goes round the end of the week.
    else {
      const span = range.most - range.least + 1;
      for (let value = first; value <= last + span; value += step) {
        values.add(value > range.most ? value - span : value);
      }
    }
  }
  return [...values].sort((a, b) => a - b);
}

type DaysOf = (year: number, month: number) => readonly number[];

/** `*`, lists, `L`, `LW`, `L-3`, `15W`. */
function daysOfMonth(text: string): DaysOf | undefined {
  const last = /^L(?:-(\d{1,2}))?$/.exec(text);
  if (last !== null) {
    const before = Number(last[1] ?? 0);
    return (year, month) => [daysInMonth(year, month) - before].filter((day) => day > 0);
  }
  const near = /^(?:(\d{1,2})|L)W$/.exec(text);
  if (near !== null) {
    const wanted = near[1] === undefined ? undefined : Number(near[1]);
    if (wanted !== undefined && (wanted < 1 || wanted > 31)) return undefined;
    return (year, month) => {
      const days = daysInMonth(year, month);
      if (wanted !== undefined && wanted > days) return [];
      return [nearestWeekday(year, month, wanted ?? days, days)];
    };
  }
  const values = valuesOf(text, { least: 1, most: 31 });
  return values && ((year, month) => values.filter((day) => day <= daysInMonth(year, month)));
}

/** The Monday to Friday nearest to a day, without leaving its month. */
function nearestWeekday(year: number, month: number, day: number, days: number): number {
  switch (weekday(year, month, day)) {
    case 1:
      return day === days ? day - 2 : day + 1;
    case 7:
      return day === 1 ? day + 2 : day - 1;
    default:
      return day;
  }
}

/** `*`, lists, `L` (Saturday), `6L` (the month's last Friday), `3#2` (its second Tuesday). */
function daysOfWeek(text: string): DaysOf | undefined {
  const range: Range = { least: 1, most: 7, names: DAYS };
  const all = (wanted: (day: number, weekdayOfDay: number, days: number) => boolean): DaysOf => {
    return (year, month) => {
      const days = daysInMonth(year, month);
      const numbers = Array.from({ length: days }, (_, n) => n + 1);
      return numbers.filter((day) => wanted(day, weekday(year, month, day), days));
    };
  };
  const ordinal = /^(\w+)#([1-5])$/.exec(text);
  if (ordinal !== null) {
    const wanted = numberOf(ordinal[1] ?? '', range);
    if (wanted === undefined) return undefined;
    return all((day, of) => of === wanted && Math.ceil(day / 7) === Number(ordinal[2]));
  }
  const last = /^(\w+)L$/.exec(text);
  const lastOf = last === null ? undefined : numberOf(last[1] ?? '', range);
  if (lastOf !== undefined) return all((day, of, days) => of === lastOf && day + 7 > days);
  const values = text === 'L' ? [7] : valuesOf(text, range);
  return values && all((_day, of) => values.includes(of));
}

/** Parses the six fields between the brackets of `cron(...)`; undefined when they are malformed. */
export function parseCron(fields: string): Cron | undefined {
  const [minuteText, hourText, dayText, monthText, weekdayText, yearText, ...rest] = fields
    .trim()
    .split(/\s+/);
  if (yearText === undefined || rest.length > 0) return undefined;
  // Exactly one of the two day fields says which days; the other is `?`.
  if ((dayText === '?') === (weekdayText === '?')) return undefined;
  const minutes = valuesOf(minuteText ?? '', { least: 0, most: 59 });
  const hours = valuesOf(hourText ?? '', { least: 0, most: 23 });
  const months = valuesOf(monthText ?? '', { least: 1, most: 12, names: MONTHS });
  const years = valuesOf(yearText, { least: 1970, most: LAST_YEAR });
  const daysOf = dayText === '?' ? daysOfWeek(weekdayText ?? '') : daysOfMonth(dayText ?? '');
  if (!minutes || !hours || !months || !years || !daysOf) return undefined;
  const firstMinute = minutes[0] ?? 0;

  const timeOfDay = (hour: number, minute: number): { hour: number; minute: number } | undefined => {
    for (const candidate of hours) {
      if (candidate < hour) continue;
      if (candidate > hour) return { hour: candidate, minute: firstMinute };
      const later = minutes.find((value) => value >= minute);
      if (later !== undefined) return { hour, minute: later };
    }
    return undefined;
  };

  return {
    next(from) {
      for (const year of years) {
        if (year < from.year) continue;
        for (const month of months) {
          if (year === from.year && month < from.month) continue;
          const isSameMonth = year === from.year && month === from.month;
          for (const day of daysOf(year, month)) {
            if (isSameMonth && day < from.day) continue;
            const isSameDay = isSameMonth && day === from.day;
            const time = isSameDay ? timeOfDay(from.hour, from.minute) : timeOfDay(0, 0);
            if (time !== undefined) return { year, month, day, ...time };
          }
        }
      }
      return undefined;
    },
  };
}
