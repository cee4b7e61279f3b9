import * as v from 'valibot';
import { notEssentialIn, observeEcsTask } from '../../domain/lifecycle/ecsTask.ts';
import type { ObservedTask } from '../../ports/containers.ts';
import { envelope, instant, parseShape } from '../envelope.ts';
import type { Parsed } from '../problem.ts';

const text = v.exactOptional(v.string());

const detail = v.object({
  clusterArn: v.string(),
  taskArn: v.string(),
  taskDefinitionArn: text,
  containerInstanceArn: text,
  startedBy: text,
  group: text,
  version: v.pipe(v.number(), v.integer()),
  lastStatus: v.string(),
  desiredStatus: v.string(),
  startedAt: v.exactOptional(instant),
  stoppedAt: v.exactOptional(instant),
  stopCode: text,
  stoppedReason: text,
  containers: v.exactOptional(
    v.array(
      v.object({
        name: v.string(),
        lastStatus: text,
        exitCode: v.exactOptional(v.pipe(v.number(), v.integer())),
        reason: text,
      }),
    ),
    [],
  ),
  overrides: v.exactOptional(
    v.object({
      containerOverrides: v.exactOptional(
        v.array(
          v.object({
            name: text,
            environment: v.exactOptional(v.array(v.object({ name: text, value: text }))),
          }),
        ),
        [],
      ),
    }),
    { containerOverrides: [] },
  ),
});

export const ecsTaskStateChangeSchema = envelope(v.literal('aws.ecs'), 'ECS Task State Change', detail);

export function parseEcsTaskStateChange(event: unknown): Parsed<ObservedTask> {
  const parsed = parseShape(ecsTaskStateChangeSchema, event);
  if (!parsed.ok) return parsed;
  const { overrides, ...facts } = parsed.value.detail;
  const notEssential = notEssentialIn(overrides.containerOverrides);
  return { ok: true, value: observeEcsTask({ ...facts, notEssential }) };
}
