import type { EngineClock } from '../engine/clock.ts';
import { TokenBucket } from '../engine/tokenBucket.ts';
import { throttled } from './errors.ts';

/** Operations that share a bucket per account and Region, with ECS's burst and sustained rates per second. */
const buckets: readonly {
  readonly burst: number;
  readonly perSecond: number;
  readonly operations: string[];
}[] = [
  {
    burst: 100,
    perSecond: 40,
    operations: ['RunTask', 'StartTask', 'StopTask', 'UpdateContainerInstancesState'],
  },
  {
    burst: 100,
    perSecond: 20,
    operations: [
      'DescribeTasks',
      'ListTasks',
      'DescribeContainerInstances',
      'ListContainerInstances',
      'ListAttributes',
    ],
  },
  { burst: 200, perSecond: 120, operations: ['RegisterContainerInstance', 'DeregisterContainerInstance'] },
];

/** Refuses calls beyond the account's rates with ThrottlingException. Operations without a bucket always pass. */
export function createThrottle(clock: EngineClock): (operation: string) => void {
  const byOperation = new Map<string, TokenBucket>();
  for (const { burst, perSecond, operations } of buckets) {
    const bucket = new TokenBucket(clock, burst, perSecond);
    for (const operation of operations) byOperation.set(operation, bucket);
  }
  return (operation) => {
    if (byOperation.get(operation)?.take() === false) throw throttled();
  };
}
