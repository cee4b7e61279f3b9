import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EngineState, memoryState } from '../engine/state.ts';
import { type VirtualClock, virtualClock } from '../engine/testClock.ts';
import { type TestSqs, testSqs } from './testSqs.ts';

const TIMEOUT_MS = 10_000;
const MAX_RECEIVES = 3;

interface ModelMessage {
  readonly body: string;
  readonly group: string;
  visibleAtMs: number;
  receives: number;
  receipt: string | undefined;
}

/** The queue as the documentation describes it, in the plainest terms: a list and its clock. */
interface Model {
  nowMs: number;
  sent: number;
  messages: ModelMessage[];
  dead: string[];
}

interface Real {
  test: TestSqs;
  readonly state: EngineState;
  readonly clock: VirtualClock;
  readonly arn: string;
  readonly deadArn: string;
}

const blocked = (model: Model, group: string): boolean =>
  model.messages.some((message) => message.group === group && message.visibleAtMs > model.nowMs);

/** Checks a receive against what the model allows, and takes over what it did. */
function receive(fifo: boolean, max: number) {
  return (model: Model, real: Real): void => {
    const open = new Set(
      model.messages.filter(({ group }) => !fifo || !blocked(model, group)).map(({ group }) => group),
    );
    const candidates = model.messages.filter(
      ({ visibleAtMs, group }) => visibleAtMs <= model.nowMs && open.has(group),
    );
    const messages = real.test.sqs.receive(real.arn, { max });
    // Exhausted messages on the way are moved, not delivered; how many depends on where the receive stopped looking.
    const dead = real.test.sqs.describe(real.deadArn).visible - model.dead.length;
    const exhausted = candidates.filter(({ receives }) => receives >= MAX_RECEIVES);
    const fresh = candidates.filter(({ receives }) => receives < MAX_RECEIVES);
    expect(messages).toHaveLength(Math.min(max, fresh.length));
    expect(dead).toBeLessThanOrEqual(exhausted.length);
    if (messages.length < max) expect(dead).toBe(exhausted.length);
    for (const { Body = '' } of messages) {
      const message = fresh.find(({ body }) => body === Body);
      expect(message, `${Body} may be received`).toBeDefined();
      if (message === undefined) continue;
      if (fifo) {
        const earlier = fresh.filter((other) => other.group === message.group && other.receipt !== 'now');
        expect(earlier[0]?.body).toBe(Body);
        message.receipt = 'now';
      }
    }
    for (const { Body = '', ReceiptHandle } of messages) {
      const message = fresh.find(({ body }) => body === Body);
      if (message === undefined) continue;
      message.receives++;
      message.receipt = ReceiptHandle;
      message.visibleAtMs = model.nowMs + TIMEOUT_MS;
    }
    if (dead > 0) takeOverDead(model, real, exhausted);
  };
}

/** The real queue decides which exhausted messages it met; the model checks that each was one. */
function takeOverDead(model: Model, real: Real, exhausted: readonly ModelMessage[]): void {
  const bodies = real.test.sqs
    .receive(real.deadArn, { max: 10_000, visibilityTimeoutMs: 0 })
    .map(({ Body = '' }) => Body);
  const moved = bodies.filter((body) => !model.dead.includes(body));
  for (const body of moved) expect(exhausted.map((message) => message.body)).toContain(body);
  model.dead.push(...moved);
  model.messages = model.messages.filter(({ body }) => !moved.includes(body));
}

const send = (group: string) => (model: Model, real: Real) => {
  const body = `m${model.sent++}`;
  real.test.sqs.send(real.arn, body, real.arn.endsWith('.fifo') ? { messageGroupId: group } : {});
  model.messages.push({ body, group, visibleAtMs: model.nowMs, receives: 0, receipt: undefined });
};

const inFlight = (model: Model): ModelMessage[] =>
  model.messages.filter(({ visibleAtMs }) => visibleAtMs > model.nowMs);

const remove = (pick: number) => (model: Model, real: Real) => {
  const flying = inFlight(model);
  const message = flying[pick % Math.max(1, flying.length)];
  if (message?.receipt === undefined) return;
  real.test.sqs.delete(real.arn, message.receipt);
  model.messages.splice(model.messages.indexOf(message), 1);
};

const change = (pick: number, timeoutMs: number) => (model: Model, real: Real) => {
  const flying = inFlight(model);
  const message = flying[pick % Math.max(1, flying.length)];
  if (message?.receipt === undefined) return;
  real.test.sqs.changeVisibility(real.arn, message.receipt, timeoutMs);
  message.visibleAtMs = model.nowMs + timeoutMs;
};

const pass = (ms: number) => async (model: Model, real: Real) => {
  await real.clock.advance(ms);
  model.nowMs += ms;
};

/** kill -9 and start again on the same state. */
const restart = (_model: Model, real: Real) => {
  real.test.sqs.stop();
  real.test = testSqs({ state: real.state, clock: real.clock });
};

class Step implements fc.AsyncCommand<Model, Real> {
  private readonly label: string;
  private readonly action: (model: Model, real: Real) => void | Promise<void>;
  constructor(label: string, action: (model: Model, real: Real) => void | Promise<void>) {
    this.label = label;
    this.action = action;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    await this.action(model, real);
    const { visible, inFlight: flying } = real.test.sqs.describe(real.arn);
    expect({ visible, flying }).toEqual({
      visible: model.messages.length - inFlight(model).length,
      flying: inFlight(model).length,
    });
  }
  toString(): string {
    return this.label;
  }
}

describe.each(['work', 'work.fifo'])('%s against its model', (name) => {
  const fifo = name.endsWith('.fifo');
  const commands = fc.commands(
    [
      fc.constantFrom('a', 'b', 'c').map((group) => new Step(`send ${group}`, send(group))),
      fc.integer({ min: 1, max: 10 }).map((max) => new Step(`receive ${max}`, receive(fifo, max))),
      fc.nat(20).map((pick) => new Step(`delete ${pick}`, remove(pick))),
      fc
        .tuple(fc.nat(20), fc.constantFrom(0, 1_000, 30_000))
        .map(([pick, ms]) => new Step(`change ${pick} to ${ms}`, change(pick, ms))),
      fc.constantFrom(1_000, 9_999, TIMEOUT_MS).map((ms) => new Step(`pass ${ms}`, pass(ms))),
      fc.constant(new Step('restart', restart)),
    ],
    { maxCommands: 80, size: 'max' },
  );

  it('does what the model does', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const state = memoryState();
        const clock = virtualClock();
        const test = testSqs({ state, clock });
        const suffix = fifo ? '.fifo' : '';
        const dead = await test.queue(`dead${suffix}`);
        const { arn } = await test.queue(name, {
          VisibilityTimeout: String(TIMEOUT_MS / 1000),
          ...(fifo && { ContentBasedDeduplication: 'true' }),
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: MAX_RECEIVES }),
        });
        await fc.asyncModelRun(
          () => ({
            model: { nowMs: clock.now(), sent: 0, messages: [], dead: [] },
            real: { test, state, clock, arn, deadArn: dead.arn },
          }),
          steps,
        );
      }),
      { numRuns: 200 },
    );
  });
});
