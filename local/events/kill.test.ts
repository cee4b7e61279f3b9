import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fault } from '../engine/faults.ts';
import { mortalState } from '../engine/mortalState.ts';
import { seededHex } from '../engine/testContext.ts';
import { broken, testDeliverer } from './testDeliverer.ts';
import { functionArn, testEvents } from './testEvents.ts';

/** What a fault plan may do to a delivery without the right to lose it. */
const faults: readonly (Fault | undefined)[] = [
  undefined,
  undefined,
  { kind: 'duplicate', copies: 1 },
  { kind: 'delay', delayMs: 700 },
  { kind: 'lost-answer' },
  { kind: 'error', code: 'Throttling', message: 'slow down', statusCode: 429 },
];

it('delivers every event whose PutEvents was answered to every target, whatever fails and whenever it is killed', async () => {
  const scenario = fc.record({
    seed: fc.nat(),
    calls: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
    writes: fc.nat(40),
    outages: fc.nat(60),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ seed, calls, writes, outages }) => {
      const hex = seededHex(seed);
      const percent = (): number => Number.parseInt(hex(4), 16) % 100;
      const plan = { at: () => faults[percent() % faults.length] };
      const state = mortalState();
      const deliverer = testDeliverer();
      const flaky = {
        ...deliverer,
        async deliver(...[arn, body, options]: Parameters<typeof deliverer.deliver>) {
          if (state.dead) return;
          if (percent() < outages) throw broken;
          await deliverer.deliver(arn, body, options);
        },
      };
      const before = testEvents({ state, hex, faults: plan }, flaky);
      for (const name of ['a', 'b']) await before.rule(name, { EventPattern: '{"source":["shop"]}' });
      state.dieAfter(writes);
      const answered: string[] = [];
      for (const entries of calls) {
        if (state.dead) break;
        const { Entries = [] } = await before.put(...Array.from({ length: entries }, () => ({})));
        if (!state.dead) answered.push(...Entries.map(({ EventId = '' }) => EventId));
        await before.context.clock.advance(500);
      }
      before.events.stop();

      const { clock } = before.context;
      const after = testEvents({ state: state.survivor, hex, faults: plan, clock }, deliverer);
      await clock.advance(7_200_000);
      expect(after.events.pending).toBe(0);
      for (const name of ['a', 'b']) {
        const ids = new Set(deliverer.bodies(functionArn(name)).map((event) => (event as { id: string }).id));
        for (const id of answered) expect(ids).toContain(id);
      }
    }),
    { numRuns: 150 },
  );
});
