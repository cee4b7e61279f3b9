import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Host } from '../model/host.ts';
import { amountOf, minus } from '../model/resources.ts';
import { OVERCOMMIT_ATTRIBUTE, setAside, withOvercommit } from './overcommit.ts';
import { claim, host, pool } from './testWorld.ts';

const NOW = 10_000_000;
const OLD = NOW - 600_000;
/** 4096 CPU units, of which two old tasks ask 1024 each. */
const busy = (over: Partial<Host> = {}, factor = 2, claimedAt = OLD): Host => {
  const aside = (taskId: string) =>
    claim({ taskId, claimedAt, demand: setAside({ cpu: 1024, memory: 100 }, factor) });
  return host({ hostId: 'i-1', claims: { a: aside('a'), b: aside('b') }, agentSeenAt: NOW - 5_000, ...over });
};
const seen = (of: Host, factor: number | undefined = 2): Host =>
  withOvercommit([of], [pool(factor === undefined ? {} : { cpuOvercommit: factor })], NOW)[0] ?? of;
const room = (of: Host, factor?: number): number => amountOf(seen(of, factor).left, 'cpu');

describe('overcommit', () => {
  it('leaves pools alone that declare none', () => {
    const hosts = [busy()];
    expect(withOvercommit(hosts, [pool()], NOW)).toBe(hosts);
    expect(withOvercommit(hosts, [pool({ cpuOvercommit: 1 })], NOW)).toBe(hosts);
    expect(withOvercommit(hosts, [pool(), pool({ name: 'other', cpuOvercommit: 2 })], NOW)).toEqual(hosts);
  });

  it('shows hosts in what tasks ask, and marks them', () => {
    const shown = seen(busy());
    expect(shown.claims.a?.demand).toEqual({ cpu: 1024, memory: 100 });
    expect(shown.attributes[OVERCOMMIT_ATTRIBUTE]).toBe('2');
    expect(minus(shown.capacity, shown.left).cpu).toBe(2048);
  });

  it('promises beyond what a host has only what its tasks, measured, do not use', () => {
    expect(room(busy())).toBe(2048);
    // 80 % of 4 CPUs less the 0.5 that are used, though at most twice the host in all.
    expect(room(busy({ usage: { cpuP95: 0.5 } }))).toBe(Math.floor(0.8 * 4096 - 512));
    expect(room(busy({ usage: { cpuP95: 3 } }))).toBe(2048);
    expect(room(busy({ usage: { cpuP95: 0.5 } }, 1.1), 1.1)).toBe(Math.floor((4096 - 2 * 930) * 1.1));
  });

  it('takes no word of an agent that is silent, nor of tasks that are too young to be measured', () => {
    expect(room(busy({ usage: { cpuP95: 0.5 }, agentSeenAt: NOW - 100_000 }))).toBe(2048);
    expect(room(busy({ usage: { cpuP95: 0.5 } }, 2, NOW - 1_000))).toBe(2048);
  });

  it('never promises what cannot be set aside, however tasks are rounded', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1.01, max: 8, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 60 }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (factor, running, arriving, cpuP95) => {
          let of = host({ hostId: 'i-1', agentSeenAt: NOW, usage: { cpuP95 } });
          const start = (taskId: string, cpu: number): void => {
            const demand = setAside({ cpu, memory: 1 }, factor);
            if (amountOf(demand, 'cpu') > amountOf(of.left, 'cpu')) return;
            const claims = { ...of.claims, [taskId]: claim({ taskId, demand, claimedAt: OLD }) };
            of = { ...of, claims, left: minus(of.left, demand) };
          };
          running.forEach((cpu, n) => {
            start(`r${n}`, cpu);
          });
          let left = room(of, factor);
          let aside = amountOf(of.left, 'cpu');
          for (const cpu of arriving) {
            if (cpu > left) continue;
            left -= cpu;
            aside -= amountOf(setAside({ cpu }, factor), 'cpu');
          }
          expect(aside).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
