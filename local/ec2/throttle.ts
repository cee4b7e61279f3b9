import type { EngineClock } from '../engine/clock.ts';
import { TokenBucket } from '../engine/tokenBucket.ts';
import { ec2Error } from './errors.ts';

const limitExceeded = (): Error => ec2Error('RequestLimitExceeded', 'Request limit exceeded.', 503);

/**
 * EC2's request buckets by kind of call (burst / per second): reads 100/20, TerminateInstances 100/5, other writes 50/5;
 * and the resource bucket of RunInstances, 1,000 instances at once and 2 more a second.
 */
export function createThrottle(clock: EngineClock): (operation: string, instances: number) => void {
  const reads = new TokenBucket(clock, 100, 20);
  const writes = new TokenBucket(clock, 50, 5);
  const terminations = new TokenBucket(clock, 100, 5);
  const launched = new TokenBucket(clock, 1000, 2);
  return (operation, instances) => {
    const isRead = operation.startsWith('Describe');
    const bucket = isRead ? reads : operation === 'TerminateInstances' ? terminations : writes;
    if (!bucket.take()) throw limitExceeded();
    if (operation === 'RunInstances' && !launched.take(instances)) throw limitExceeded();
  };
}
