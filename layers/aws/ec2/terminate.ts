import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import type { Machines } from '../../ports/machines.ts';
import { classifyFailure } from '../errors.ts';
import { chunks } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ec2 } from './ec2.ts';

/** EC2 takes 1000; a call that fails is repeated as a whole, so that fewer is kinder. */
const MAX_INSTANCES = 200;

/**
 * EC2 refuses a whole call for one id it does not know, and names the unknown ones. They count as terminated; an instance
 * launched a moment ago may be unknown as well, and is found by its tags when `reconcile` next lists them.
 */
async function terminateKnown(ec2: Ec2, hostIds: readonly string[]): Promise<void> {
  let left = hostIds;
  // Each round names at least one unknown id, or is the last.
  while (left.length > 0) {
    try {
      await repeatRead(ec2.sleep, () =>
        ec2.client.send(new TerminateInstancesCommand({ InstanceIds: [...left] })),
      );
      return;
    } catch (error) {
      const { code, detail } = classifyFailure(error);
      const unknown = new Set(detail.match(/\bi-[0-9a-f]+\b/g));
      const known = left.filter((hostId) => !unknown.has(hostId));
      if (code !== 'InvalidInstanceID.NotFound' || known.length === left.length) throw error;
      left = known;
    }
  }
}

export const terminate =
  (ec2: Ec2): Machines['terminate'] =>
  async (hostIds) => {
    for (const batch of chunks([...new Set(hostIds)], MAX_INSTANCES)) await terminateKnown(ec2, batch);
  };
