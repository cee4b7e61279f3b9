import { describe, expect, it } from 'vitest';
import { withFailure } from '../lifecycle/launchFailures.ts';
import type { Host } from '../model/host.ts';
import { penaltyOf, whyPenalised } from './penalty.ts';
import { place } from './place.ts';
import { host, snapshot, task } from './testWorld.ts';

const NOW = 10_000_000;
const calm = { agentSeenAt: NOW - 5_000, pressure: { cpu: 0.05, memory: 0, io: 0 } };
const bad = {
  stalling: { agentSeenAt: NOW - 5_000, pressure: { cpu: 0.1, memory: 0.6, io: 0.2 } },
  silent: { ...calm, agentSeenAt: NOW - 91_000 },
  failing: { ...calm, launchFailures: withFailure(undefined, NOW - 60_000) },
} satisfies Record<string, Partial<Host>>;

/** The fuller host would be the better one, were it not for what counts against it. */
const chosen = (against: Partial<Host>, other: Partial<Host> = {}): string | undefined =>
  place(
    snapshot({
      hosts: [
        host({ hostId: 'i-full', left: { cpu: 2048, memory: 7_500 }, ...against }),
        host({ hostId: 'i-empty', ...calm, ...other }),
      ],
      pending: [task('a')],
    }),
    NOW,
  ).placements[0]?.hostId;

describe('a host with something against it', () => {
  it.each(Object.entries(bad))(
    'comes after others when it is %s, and is taken when no other has room',
    (_name, over) => {
      expect(chosen({})).toBe('i-full');
      expect(chosen(over)).toBe('i-empty');
      expect(chosen(over, { left: { cpu: 0, memory: 0 } })).toBe('i-full');
    },
  );

  it('says what it is', () => {
    const why = (over: Partial<Host>) => whyPenalised(host({ hostId: 'i-1', ...over }), NOW);
    expect(why(calm)).toBeUndefined();
    expect(why({})).toBeUndefined();
    expect(why(bad.stalling)).toBe(
      'its tasks stall 60 % of the time for memory, its tasks stall 20 % of the time for io',
    );
    expect(why(bad.silent)).toBe('its agent has been silent for 91 s');
    expect(why(bad.failing)).toBe('launches on it failed a while ago');
  });

  it('is forgiven with time: failures count half every ten minutes, and what was old is no pressure of now', () => {
    const penalty = (over: Partial<Host>, nowMs: number) =>
      penaltyOf(host({ hostId: 'i-1', ...over }), nowMs);
    const once = withFailure(undefined, NOW);
    const twice = withFailure(once, NOW + 600_000);
    expect(once).toEqual({ score: 1, at: NOW });
    expect(twice).toEqual({ score: 1.5, at: NOW + 600_000 });
    expect(penalty({ launchFailures: twice }, NOW + 1_800_000)).toBeCloseTo(0.375);
    const many = Array.from({ length: 50 }).reduce<typeof once>((before) => withFailure(before, NOW), once);
    expect(penalty({ launchFailures: many }, NOW)).toBe(4);
    expect(penalty(bad.stalling, NOW)).toBeCloseTo(2.4);
    expect(penalty(bad.stalling, NOW + 100_000)).toBe(4);
  });
});
