import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from './expression.ts';
import { timeZone } from './timeZone.ts';

const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);

/** The first `count` times after `from`. */
function times(expression: string, from: string, count: number, zone?: string): (string | undefined)[] {
  const schedule = parseSchedule(expression, zone);
  if (schedule === undefined) return ['malformed'];
  const found: (string | undefined)[] = [];
  let afterMs = Date.parse(`${from}Z`);
  const baseMs = afterMs;
  for (let n = 0; n < count; n++) {
    const nextMs = schedule.next(afterMs, baseMs);
    found.push(iso(nextMs));
    if (nextMs === undefined) break;
    afterMs = nextMs;
  }
  return found;
}

describe('cron', () => {
  it.each([
    ['0 10 * * ? *', '2026-01-01T10:00', ['2026-01-02T10:00', '2026-01-03T10:00']],
    ['15 12 * * ? *', '2026-01-01T10:00', ['2026-01-01T12:15']],
    ['0 18 ? * MON-FRI *', '2026-01-02T18:00', ['2026-01-05T18:00']],
    ['0 8 1 * ? *', '2026-01-31T00:00', ['2026-02-01T08:00', '2026-03-01T08:00']],
    ['0/15 * * * ? *', '2026-01-01T10:50', ['2026-01-01T11:00', '2026-01-01T11:15']],
    ['0/5 8-17 ? * MON-FRI *', '2026-01-02T17:55', ['2026-01-05T08:00']],
    ['1/10 0 1 1 ? *', '2026-01-01T00:00', ['2026-01-01T00:01', '2026-01-01T00:11']],
    ['30 0 ? * 2#1 *', '2026-01-01T00:00', ['2026-01-05T00:30', '2026-02-02T00:30']],
    ['0 0 ? * 6L *', '2026-01-01T00:00', ['2026-01-30T00:00', '2026-02-27T00:00']],
    ['0 0 ? * FRI#5 *', '2026-01-01T00:00', ['2026-01-30T00:00', '2026-05-29T00:00']],
    ['0 0 ? * L *', '2026-01-01T00:00', ['2026-01-03T00:00']],
    [
      '0 0 ? * FRI-MON *',
      '2026-01-01T00:00',
      ['2026-01-02T00:00', '2026-01-03T00:00', '2026-01-04T00:00', '2026-01-05T00:00', '2026-01-09T00:00'],
    ],
    ['0 0 L * ? *', '2026-01-31T00:00', ['2026-02-28T00:00']],
    ['0 0 L-2 * ? *', '2026-01-01T00:00', ['2026-01-29T00:00']],
    ['0 0 LW * ? *', '2026-01-01T00:00', ['2026-01-30T00:00']],
    ['0 0 1W * ? *', '2026-02-01T00:00', ['2026-02-02T00:00']],
    ['0 0 1W 8 ? *', '2026-02-01T00:00', ['2026-08-03T00:00']],
    ['0 0 31W * ? *', '2026-02-01T00:00', ['2026-03-31T00:00', '2026-05-29T00:00']],
    ['0 0 29 2 ? *', '2026-01-01T00:00', ['2028-02-29T00:00']],
    [
      '0 0 1 JAN,MAR ? 2026-2027',
      '2026-01-01T00:00',
      ['2026-03-01T00:00', '2027-01-01T00:00', '2027-03-01T00:00', undefined],
    ],
    ['0 0 30 2 ? *', '2026-01-01T00:00', [undefined]],
    ['59 23 31 12 ? 2199', '2026-01-01T00:00', ['2199-12-31T23:59', undefined]],
  ])('cron(%s) after %s', (fields, from, expected) => {
    expect(times(`cron(${fields})`, from, expected.length)).toEqual(expected);
  });

  it.each([
    '0 10 * * * *',
    '0 10 ? * ? *',
    '0 10 * * ?',
    '0 10 * * ? * *',
    '60 10 * * ? *',
    '0 24 * * ? *',
    '0 0 0 * ? *',
    '0 0 * 13 ? *',
    '0 0 ? * 8 *',
    '0 0 ? * 3#6 *',
    '0 0 32W * ? *',
    '0 0 * * ? 1969',
    '0/0 * * * ? *',
    '*-3 * * * ? *',
    'a * * * ? *',
    ', * * * ? *',
  ])('refuses cron(%s)', (fields) => {
    expect(parseSchedule(`cron(${fields})`)).toBeUndefined();
  });

  it('knows the weekdays that the calendar knows', () => {
    const day = fc.integer({ min: Date.UTC(1971, 0, 1), max: Date.UTC(2150, 0, 1) });
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 7 }), (afterMs, weekday) => {
        const nextMs = parseSchedule(`cron(30 6 ? * ${weekday} *)`)?.next(afterMs, 0) ?? 0;
        expect(new Date(nextMs).getUTCDay() + 1).toBe(weekday);
        expect(iso(nextMs)?.slice(11)).toBe('06:30');
        expect(nextMs).toBeGreaterThan(afterMs);
        expect(nextMs - afterMs).toBeLessThanOrEqual(7 * 86_400_000);
      }),
    );
  });

  it('keeps to local time over the changes of clocks', () => {
    expect(times('cron(0 9 * * ? *)', '2026-03-28T00:00', 3, 'Europe/Berlin')).toEqual([
      '2026-03-28T08:00',
      '2026-03-29T07:00',
      '2026-03-30T07:00',
    ]);
    // 02:30 does not exist on 29 March 2026 in Berlin and exists twice on 25 October.
    expect(times('cron(30 2 * * ? *)', '2026-03-28T00:00', 2, 'Europe/Berlin')).toEqual([
      '2026-03-28T01:30',
      '2026-03-30T00:30',
    ]);
    expect(times('cron(30 2 * * ? *)', '2026-10-24T12:00', 2, 'Europe/Berlin')).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    expect(times('cron(0 0 * * ? *)', '2026-01-01T00:00', 1, 'Asia/Kolkata')).toEqual(['2026-01-01T18:30']);
  });
});

describe('rate', () => {
  it('counts from its base', () => {
    expect(times('rate(5 minutes)', '2026-01-01T10:03', 2)).toEqual(['2026-01-01T10:08', '2026-01-01T10:13']);
    const hourly = parseSchedule('rate(1 hour)');
    const baseMs = Date.UTC(2026, 0, 1, 0, 30);
    expect(iso(hourly?.next(Date.UTC(2026, 0, 3, 7, 45), baseMs))).toBe('2026-01-03T08:30');
    expect(iso(hourly?.next(baseMs, baseMs))).toBe('2026-01-01T01:30');
    expect(iso(hourly?.next(baseMs - 1, baseMs))).toBe('2026-01-01T01:30');
  });

  it.each([
    'rate(1 minutes)',
    'rate(5 minute)',
    'rate(0 minutes)',
    'rate(5 seconds)',
    'rate(five minutes)',
    'rate(1.5 hours)',
  ])('refuses %s', (expression) => {
    expect(parseSchedule(expression)).toBeUndefined();
  });
});

describe('at', () => {
  it('runs once, in its zone', () => {
    expect(times('at(2026-05-01T12:00:00)', '2026-01-01T00:00', 2)).toEqual(['2026-05-01T12:00', undefined]);
    expect(times('at(2026-05-01T12:00:00)', '2026-01-01T00:00', 1, 'America/New_York')).toEqual([
      '2026-05-01T16:00',
    ]);
  });

  it.each(['at(2026-05-01)', 'at(2026-02-30T12:00:00)', 'at(2026-05-01T25:00:00)', 'at(soon)', 'every day'])(
    'refuses %s',
    (expression) => {
      expect(parseSchedule(expression)).toBeUndefined();
    },
  );

  it('refuses a zone that does not exist', () => {
    expect(parseSchedule('at(2026-05-01T12:00:00)', 'Mars/Olympus')).toBeUndefined();
  });
});

describe('time zones', () => {
  it('wall time there and back is the same moment, or the earlier of a repeated hour', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Australia/Lord_Howe',
    );
    const minute = fc.integer({ min: Date.UTC(2015, 0, 1) / 60_000, max: Date.UTC(2035, 0, 1) / 60_000 });
    fc.assert(
      fc.property(zones, minute, (name, minutes) => {
        const zone = timeZone(name);
        const epochMs = minutes * 60_000;
        const backMs = zone?.toEpochMs(zone.toWall(epochMs)) ?? 0;
        expect([0, 30, 60]).toContain((epochMs - backMs) / 60_000);
      }),
      { numRuns: 300 },
    );
  });
});
