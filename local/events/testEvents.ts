import type { PutEventsRequestEntry, PutEventsResponse, Target } from '@aws-sdk/client-eventbridge';
import { invoke, type TestContext, testContext } from '../engine/testContext.ts';
import { createEvents, type Events } from './engine.ts';
import { type TestDeliverer, testDeliverer } from './testDeliverer.ts';

export interface TestEvents {
  readonly context: TestContext;
  readonly events: Events;
  readonly deliverer: TestDeliverer;
  call<Output = Record<string, unknown>>(operation: string, input?: unknown): Promise<Output>;
  /** Puts a rule on the default bus with one target and returns its ARN. */
  rule(name: string, rule: Record<string, unknown>, target?: Partial<Target>): Promise<string>;
  put(...entries: Partial<PutEventsRequestEntry>[]): Promise<PutEventsResponse>;
}

export const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
export const queueArn = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;

/** A started EventBridge engine whose targets are a `testDeliverer`. */
export function testEvents(over: Partial<TestContext> = {}, deliverer = testDeliverer()): TestEvents {
  const context = testContext(over);
  const events = createEvents(context, { deliverer });
  events.start();
  const call = <Output>(operation: string, input: unknown = {}): Promise<Output> =>
    invoke<Output>(events.service, operation, input);
  return {
    context,
    events,
    deliverer,
    call,
    async rule(Name, rule, target = {}) {
      const { RuleArn } = await call<{ RuleArn: string }>('PutRule', { Name, ...rule });
      const Targets = [{ Id: 't', Arn: functionArn(Name), ...target }];
      await call('PutTargets', { Rule: Name, Targets });
      return RuleArn;
    },
    put: (...entries) =>
      call('PutEvents', {
        Entries: entries.map((entry) => ({
          Source: 'shop',
          DetailType: 'Order Placed',
          Detail: '{"id":"o-1"}',
          ...entry,
        })),
      }),
  };
}
