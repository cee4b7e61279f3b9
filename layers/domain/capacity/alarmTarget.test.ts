import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPool } from '../../../test/support/records.ts';
import type { Pool } from '../model/pool.ts';
import { type AlarmSaid, alarmTarget } from './alarmTarget.ts';

function told(pool: Pool, ...changes: readonly AlarmSaid[]): Pool {
  let current = pool;
  for (const said of changes) current = { ...current, ...alarmTarget(current, said) };
  return current;
}

const says = (alarmName: string, state: AlarmSaid['state'], at: number): AlarmSaid => ({
  alarmName,
  state,
  at,
});
const pool = aPool({ minHosts: 0, maxHosts: 5, alarmStep: 2 });

describe('alarmTarget', () => {
  it('adds a step on ALARM and takes it away on OK', () => {
    const up = told(pool, says('load', 'ALARM', 1));
    expect(up.desiredHosts).toBe(2);
    expect(told(up, says('load', 'OK', 2)).desiredHosts).toBe(0);
  });

  it('leaves the target alone when an alarm is OK that never was raised', () => {
    expect(told(pool, says('load', 'ALARM', 1), says('new', 'OK', 2)).desiredHosts).toBe(2);
  });

  it('adds no second step when an alarm comes back to ALARM from INSUFFICIENT_DATA', () => {
    expect(told(pool, says('load', 'ALARM', 1), says('load', 'ALARM', 9)).desiredHosts).toBe(2);
  });

  it('takes away no more than the bounds had let the alarm add', () => {
    const full = told(pool, says('a', 'ALARM', 1), says('b', 'ALARM', 1), says('c', 'ALARM', 1));
    expect(full.desiredHosts).toBe(5);
    expect(told(full, says('c', 'OK', 2)).desiredHosts).toBe(4);
  });

  it('ends the same in whatever order and however often the changes are told, bounds apart', () => {
    const wide = { ...pool, maxHosts: 1_000 };
    const change = fc.record({
      alarmName: fc.constantFrom('a', 'b', 'c'),
      state: fc.constantFrom('ALARM' as const, 'OK' as const),
      at: fc.integer({ min: 1, max: 20 }),
    });
    const history = fc.uniqueArray(change, { selector: ({ alarmName, at }) => `${alarmName}@${at}` });
    const orders = history.chain((changes) =>
      fc.tuple(
        fc.constant(changes),
        fc.shuffledSubarray([...changes, ...changes], { minLength: 2 * changes.length }),
      ),
    );
    fc.assert(
      fc.property(orders, ([changes, shuffled]) => {
        const last = new Map<string, AlarmSaid>();
        for (const said of [...changes].sort((a, b) => a.at - b.at)) last.set(said.alarmName, said);
        const raised = [...last.values()].filter(({ state }) => state === 'ALARM').length;
        expect(told(wide, ...shuffled).desiredHosts).toBe(raised * wide.alarmStep);
      }),
    );
  });

  it('stays within bounds, and forgets silent alarms before it grows without end', () => {
    const many = Array.from({ length: 200 }, (_, index) => says(`quiet-${index}`, 'OK', index + 10));
    const after = told(pool, says('load', 'ALARM', 1), ...many);
    expect(Object.keys(after.alarms ?? {})).toHaveLength(65);
    expect(after.alarms?.load).toEqual({ state: 'ALARM', at: 1, hosts: 2 });
    expect(told(after, says('load', 'OK', 999)).desiredHosts).toBe(0);
  });
});
