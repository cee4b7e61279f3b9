import * as v from 'valibot';
import { observeEcsHost } from '../../domain/lifecycle/ecsHost.ts';
import type { ObservedHost } from '../../ports/containers.ts';
import { envelope, instant, parseShape } from '../envelope.ts';
import { instanceId } from '../instanceId.ts';
import type { Parsed } from '../problem.ts';

const detail = v.object({
  clusterArn: v.string(),
  containerInstanceArn: v.string(),
  ec2InstanceId: instanceId,
  version: v.pipe(v.number(), v.integer()),
  status: v.string(),
  agentConnected: v.boolean(),
  registeredAt: instant,
  attributes: v.exactOptional(
    v.array(v.object({ name: v.string(), value: v.exactOptional(v.string()) })),
    [],
  ),
  registeredResources: v.exactOptional(
    v.array(
      v.object({
        name: v.string(),
        integerValue: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
        stringSetValue: v.exactOptional(v.array(v.string())),
      }),
    ),
    [],
  ),
});

export const ecsContainerInstanceStateChangeSchema = envelope(
  v.literal('aws.ecs'),
  'ECS Container Instance State Change',
  detail,
);

export function parseEcsContainerInstanceStateChange(event: unknown): Parsed<ObservedHost> {
  const parsed = parseShape(ecsContainerInstanceStateChangeSchema, event);
  return parsed.ok ? { ok: true, value: observeEcsHost(parsed.value.detail) } : parsed;
}
