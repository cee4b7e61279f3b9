import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mortalState } from '../engine/mortalState.ts';
import { seededHex } from '../engine/testContext.ts';
import { testSqs } from './testSqs.ts';

/** A process killed at any write, inside an operation or between two. */
describe.each(['work', 'work.fifo'])('%s, killed at any moment', (name) => {
  const fifo = name.endsWith('.fifo');
  const attributes = { VisibilityTimeout: '30', ...(fifo && { ContentBasedDeduplication: 'true' }) };
  const groupOf = (body: string): string => body.slice(-1);
  const options = (body: string): { messageGroupId?: string } =>
    fifo ? { messageGroupId: groupOf(body) } : {};

  it('has every message whose send was answered, once, and none whose delete was', async () => {
    const scenario = fc.record({
      seed: fc.nat(),
      steps: fc.array(fc.constantFrom('send', 'send', 'receive', 'delete'), { minLength: 1, maxLength: 40 }),
      writes: fc.nat(60),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, steps, writes }) => {
        const state = mortalState();
        const before = testSqs({ state, hex: seededHex(seed) });
        const { arn } = await before.queue(name, attributes);
        state.dieAfter(writes);
        const sent: string[] = [];
        const answered = new Set<string>();
        const deleting = new Set<string>();
        const deleted = new Set<string>();
        const held: { body: string; receipt: string }[] = [];
        for (const [n, step] of steps.entries()) {
          if (state.dead) break;
          if (step === 'send') {
            const body = `m${n}${'abc'.charAt(n % 3)}`;
            sent.push(body);
            before.sqs.send(arn, body, options(body));
            if (!state.dead) answered.add(body);
          } else if (step === 'receive') {
            const messages = before.sqs.receive(arn, { max: 3 });
            for (const { Body = '', ReceiptHandle = '' } of messages)
              held.push({ body: Body, receipt: ReceiptHandle });
          } else {
            const message = held.shift();
            if (message === undefined) continue;
            deleting.add(message.body);
            before.sqs.delete(arn, message.receipt);
            if (!state.dead) deleted.add(message.body);
          }
        }
        before.sqs.stop();

        const after = testSqs({
          state: state.survivor,
          hex: seededHex(seed + 1),
          clock: before.context.clock,
        });
        // A producer that got no answer sends again; FIFO deduplication must tell whether the first one counted.
        if (fifo) for (const body of sent) if (!answered.has(body)) after.sqs.send(arn, body, options(body));
        await after.context.clock.advance(30_000);
        const found: string[] = [];
        for (;;) {
          const messages = after.sqs.receive(arn, { max: 10 });
          if (messages.length === 0) break;
          for (const { Body = '', ReceiptHandle = '' } of messages) {
            found.push(Body);
            after.sqs.delete(arn, ReceiptHandle);
          }
        }
        expect(new Set(found).size).toBe(found.length);
        for (const body of deleted) expect(found).not.toContain(body);
        const mustBeThere = fifo ? sent : [...answered];
        for (const body of mustBeThere) if (!deleting.has(body)) expect(found).toContain(body);
        if (!fifo) return;
        for (const group of 'abc') {
          const inGroup = (bodies: readonly string[]): string[] =>
            bodies.filter((body) => groupOf(body) === group);
          expect(inGroup(found)).toEqual(inGroup(sent).filter((body) => found.includes(body)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

it('a message killed on its way to the dead-letter queue is in one queue, not in both or none', async () => {
  for (let writes = 0; writes < 8; writes++) {
    const state = mortalState();
    const before = testSqs({ state });
    const dead = await before.queue('dead');
    const { arn } = await before.queue('work', {
      VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    before.sqs.send(arn, 'poison');
    before.sqs.receive(arn, { max: 1 });
    state.dieAfter(writes);
    before.sqs.receive(arn, { max: 1 });
    before.sqs.stop();
    const after = testSqs({ state: state.survivor });
    expect(after.sqs.describe(arn).visible + after.sqs.describe(dead.arn).visible).toBe(1);
    expect(after.sqs.describe(dead.arn).visible).toBe(state.dead ? 0 : 1);
  }
});
