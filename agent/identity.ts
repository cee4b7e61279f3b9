import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceMetadata } from './imds.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const ATTEMPTS = 10;
const RETRY_MS = 1_000;

/**
 * The environment with who this instance is: what is set stays, the rest comes from instance metadata, which a booting
 * host may have to wait for. Rejects when it never answers.
 */
export async function withIdentity(
  environment: Environment,
  metadata: InstanceMetadata,
): Promise<Environment> {
  const { BERTH_INSTANCE_ID, BERTH_INSTANCE_ARN } = environment;
  if (BERTH_INSTANCE_ID !== undefined && BERTH_INSTANCE_ARN !== undefined) return environment;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const partition = (await metadata.get('meta-data/services/partition'))?.trim() ?? 'aws';
      const document = await metadata.get('dynamic/instance-identity/document');
      const { instanceId, accountId, region } = JSON.parse(document ?? '{}') as Record<string, string>;
      if (instanceId === undefined) throw new Error('the identity document names no instance');
      const arn = `arn:${partition}:ec2:${region}:${accountId}:instance/${instanceId}`;
      return { AWS_REGION: region, BERTH_INSTANCE_ID: instanceId, BERTH_INSTANCE_ARN: arn, ...environment };
    } catch (error) {
      if (attempt >= ATTEMPTS) {
        throw new Error(
          `Who this instance is cannot be learnt from its metadata (${(error as Error).message}). Set BERTH_INSTANCE_ID and BERTH_INSTANCE_ARN.`,
        );
      }
      await sleep(RETRY_MS);
    }
  }
}
