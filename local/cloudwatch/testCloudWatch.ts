import type { AwsEvent } from '../engine/service.ts';
import { type TestContext, testContext } from '../engine/testContext.ts';
import type { AlarmSpec } from './alarm.ts';
import { type CloudWatch, type CloudWatchOptions, createCloudWatch } from './cloudwatch.ts';

export interface TestCloudWatch {
  readonly context: TestContext;
  readonly cloudwatch: CloudWatch;
  readonly events: AwsEvent[];
  readonly delivered: { arn: string; body: string }[];
  call<Answer>(operation: string, input: object): Promise<Answer>;
  /** `alarm:state` of every announced change. */
  changes(): string[];
}

/** A started CloudWatch engine in virtual time, on the whole minute. */
export function testCloudWatch(
  over: Partial<CloudWatchOptions> & { readonly context?: TestContext } = {},
): TestCloudWatch {
  const context = over.context ?? testContext();
  const events: AwsEvent[] = [];
  const delivered: { arn: string; body: string }[] = [];
  const cloudwatch = createCloudWatch(context, {
    events: { emit: (event) => events.push(event) },
    deliverer: {
      async deliver(arn, body) {
        delivered.push({ arn, body });
      },
    },
    ...over,
  });
  cloudwatch.start();
  return {
    context,
    cloudwatch,
    events,
    delivered,
    async call<Answer>(operation: string, input: object) {
      const run = cloudwatch.service.operations[operation];
      if (!run) throw new Error(`no operation ${operation}`);
      return (await run(input, { requestId: 'test' })) as Answer;
    },
    changes: () =>
      events.map(({ detail }) => {
        const { alarmName, state } = detail as { alarmName: string; state: { value: string } };
        return `${alarmName}:${state.value}`;
      }),
  };
}

export const depthAlarm: AlarmSpec = {
  name: 'depth',
  metric: { namespace: 'Shop', name: 'Depth', dimensions: { Queue: 'orders' } },
  statistic: 'Maximum',
  periodSeconds: 60,
  evaluationPeriods: 1,
  threshold: 10,
  comparison: 'GreaterThanThreshold',
};
