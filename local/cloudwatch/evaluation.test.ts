import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MissingData } from './alarm.ts';
import { breaches, canBreachEarly, decide, type Rule } from './evaluation.ts';

const ALL: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

const rule = (datapointsToAlarm: number, treatMissingData: MissingData): Rule => ({
  evaluationPeriods: 3,
  datapointsToAlarm,
  threshold: 1,
  comparison: 'GreaterThanOrEqualToThreshold',
  treatMissingData,
});
const points = (text: string) => text.split(' ').map((mark) => ({ '0': 0, X: 1 })[mark]);

describe('the tables of the user guide on missing data', () => {
  it.each([
    // 3 out of 3, for missing / ignore / breaching / notBreaching
    [3, '0 - X - X', 'OK', 'OK', 'OK', 'OK'],
    [3, '- - - - 0', 'OK', 'OK', 'OK', 'OK'],
    [3, '- - - - -', 'INSUFFICIENT_DATA', 'keep', 'ALARM', 'OK'],
    [3, '0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [3, '- - X - -', 'ALARM', 'keep', 'ALARM', 'OK'],
    // 2 out of 3
    [2, '0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [2, '0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [2, '0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
    [2, '- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
    [2, '- - - X -', 'ALARM', 'keep', 'ALARM', 'OK'],
  ] as const)('%i out of 3: %s', (datapointsToAlarm, marks, ...expected) => {
    const verdicts = ALL.map((treat) => decide(points(marks), rule(datapointsToAlarm, treat)).state);
    expect(verdicts).toEqual(expected);
  });

  it('does not raise an alarm on a breach that is too young, data before it missing', () => {
    expect(decide(points('- - - - X'), rule(3, 'missing')).state).toBe('keep');
  });
});

describe('a decision', () => {
  const anyPoints = fc.array(fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }), {
    minLength: 5,
    maxLength: 5,
  });
  const anyRule = fc.record({
    datapointsToAlarm: fc.integer({ min: 1, max: 3 }),
    treat: fc.constantFrom(...ALL),
  });

  it('never raises an alarm without a breach, real or filled in', () => {
    fc.assert(
      fc.property(anyPoints, anyRule, (values, { datapointsToAlarm, treat }) => {
        const { state } = decide(values, rule(datapointsToAlarm, treat));
        const hasBreach = values.some((value) => value !== undefined && value >= 1);
        return state !== 'ALARM' || hasBreach || treat === 'breaching';
      }),
    );
  });

  it('becomes an alarm, if anything, when a value rises over the threshold', () => {
    fc.assert(
      fc.property(anyPoints, anyRule, fc.nat(4), (values, { datapointsToAlarm, treat }, at) => {
        if (values[at] === undefined) return true;
        const raised = values.map((value, index) => (index === at ? 2 : value));
        const before = decide(values, rule(datapointsToAlarm, treat)).state;
        const after = decide(raised, rule(datapointsToAlarm, treat)).state;
        return before !== 'ALARM' || after === 'ALARM';
      }),
    );
  });

  it('compares as its operator says', () => {
    const at = (comparison: Rule['comparison']) =>
      [0, 1, 2].map((value) => breaches(value, { comparison, threshold: 1 }));
    expect(at('GreaterThanThreshold')).toEqual([false, false, true]);
    expect(at('GreaterThanOrEqualToThreshold')).toEqual([false, true, true]);
    expect(at('LessThanThreshold')).toEqual([true, false, false]);
    expect(at('LessThanOrEqualToThreshold')).toEqual([true, true, false]);
  });

  it('believes an open period only where more data cannot undo it for good', () => {
    expect(canBreachEarly('Sum', 'GreaterThanThreshold')).toBe(true);
    expect(canBreachEarly('Sum', 'LessThanThreshold')).toBe(false);
    expect(canBreachEarly('Minimum', 'GreaterThanThreshold')).toBe(false);
    expect(canBreachEarly('Minimum', 'LessThanThreshold')).toBe(true);
    expect(canBreachEarly('p99', 'GreaterThanThreshold')).toBe(true);
  });
});
