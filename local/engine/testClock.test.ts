import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Deadline, Deadlines, WakeTimer } from './deadlines.ts';
import { virtualClock } from './testClock.ts';

describe('Deadlines', () => {
  it('takes items out by deadline, then by the order of setting, whatever was moved and removed between', () => {
    const step = fc.record({
      verb: fc.constantFrom('add', 'move', 'remove'),
      atMs: fc.nat(20),
      pick: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const deadlines = new Deadlines<number>();
        const entries: Deadline<number>[] = [];
        const model = new Map<number, { atMs: number; order: number }>();
        let order = 0;
        for (const { verb, atMs, pick } of steps) {
          const entry = entries[pick % Math.max(1, entries.length)];
          if (verb === 'add' || entry === undefined) {
            const id = entries.length;
            entries.push(deadlines.add(id, atMs));
            model.set(id, { atMs, order: order++ });
          } else if (verb === 'move') {
            deadlines.move(entry, atMs);
            model.set(entry.item, { atMs, order: order++ });
          } else {
            deadlines.remove(entry);
            model.delete(entry.item);
          }
          expect(deadlines.size).toBe(model.size);
        }
        const expected = [...model]
          .sort(([, a], [, b]) => a.atMs - b.atMs || a.order - b.order)
          .map(([id]) => id);
        const taken: number[] = [];
        for (let id = deadlines.takeDue(20); id !== undefined; id = deadlines.takeDue(20)) taken.push(id);
        expect(taken).toEqual(expected);
      }),
    );
  });

  it('takes nothing before it is due', () => {
    const deadlines = new Deadlines<string>();
    deadlines.add('later', 10);
    expect(deadlines.takeDue(9)).toBeUndefined();
    expect(deadlines.takeDue(10)).toBe('later');
  });
});

describe('WakeTimer', () => {
  it('wakes at the earliest of the times it was asked for', async () => {
    const clock = virtualClock(0);
    const woken: number[] = [];
    const timer = new WakeTimer(clock, () => woken.push(clock.now()));
    timer.need(50);
    timer.need(20);
    timer.need(30);
    expect(clock.pending).toBe(1);
    await clock.run(100);
    expect(woken).toEqual([20]);
    timer.need(150);
    timer.stop();
    await clock.run(200);
    expect(woken).toEqual([20]);
  });
});

describe('virtualClock', () => {
  it('fires timers in order and shows each its own time', async () => {
    const clock = virtualClock(1000);
    const seen: [string, number][] = [];
    clock.after(30, () => void seen.push(['c', clock.now()]));
    clock.after(10, () => void seen.push(['a', clock.now()]));
    clock.after(10, () => void seen.push(['b', clock.now()]));
    const cancel = clock.after(20, () => void seen.push(['never', clock.now()]));
    cancel();
    await clock.advance(20);
    expect(seen).toEqual([
      ['a', 1010],
      ['b', 1010],
    ]);
    expect(clock.now()).toBe(1020);
    await clock.run(1030);
    expect(seen.at(-1)).toEqual(['c', 1030]);
  });

  it('lets a long promise chain settle before the next timer', async () => {
    const clock = virtualClock(0);
    const seen: string[] = [];
    clock.after(1, async () => {
      for (let hop = 0; hop < 500; hop++) await undefined;
      seen.push('chain');
      clock.after(0, () => void seen.push('inner'));
    });
    clock.after(2, () => void seen.push('next'));
    await clock.run(5);
    expect(seen).toEqual(['chain', 'inner', 'next']);
  });

  it('lets an action wait for a later timer, and passes its rejection on', async () => {
    const clock = virtualClock(0);
    clock.after(1, async () => {
      await new Promise<void>((resolve) => clock.after(5, resolve));
      throw new Error('engine bug');
    });
    await clock.run(3);
    await expect(clock.run(10)).rejects.toThrow('engine bug');
  });

  it('stops as soon as the condition holds, and says when it never does', async () => {
    const clock = virtualClock(0);
    let count = 0;
    const tick = (): void => {
      count++;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    await clock.until(() => count === 3, 1000);
    expect(clock.now()).toBe(30);
    await expect(clock.until(() => count > 100, 50)).rejects.toThrow('within 50 ms');
  });
});
