import type { InstanceMetadata } from './imds.ts';

/** EC2 asks for this pace: the warning comes two minutes ahead. */
export const INTERRUPTION_POLL_MS = 5_000;
const PATH = 'meta-data/spot/instance-action';

/**
 * When EC2 will take the instance back (epoch ms), or undefined when it has not said so. Rejects when IMDS does not
 * answer.
 */
export async function interruptionAt(metadata: InstanceMetadata): Promise<number | undefined> {
  const document = await metadata.get(PATH);
  if (document === undefined) return undefined;
  const at = Date.parse((JSON.parse(document) as { time?: string }).time ?? '');
  return Number.isFinite(at) ? at : undefined;
}
