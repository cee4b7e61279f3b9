import { emitWithFaults } from '../engine/faultyOperation.ts';
import { plainJson } from '../engine/plainJson.ts';
import type { EngineContext, EventSink } from '../engine/service.ts';
import type { Arns } from './arn.ts';
import { describeHost } from './describeHost.ts';
import { describeTask } from './describeTask.ts';
import type { Host } from './host.ts';
import type { TaskRecord } from './records.ts';

/**
 * ECS's events: the resource as Describe shows it, times in ISO 8601, and `updatedAt`. A fault at `ecs.events` (asked
 * with the resource's ARN) makes them what the real ones may be: doubled, late and hence out of order, or lost.
 */
export class EcsEvents {
  private readonly context: EngineContext;
  private readonly sink: EventSink;
  private readonly arns: Arns;

  constructor(context: EngineContext, sink: EventSink, arns: Arns) {
    this.context = context;
    this.sink = sink;
    this.arns = arns;
  }

  taskChanged(task: TaskRecord): void {
    const { tags: _tags, healthStatus: _health, ...detail } = describeTask(this.arns, task);
    this.send('ECS Task State Change', this.arns.task(task.cluster, task.id), detail);
  }

  hostChanged(host: Host): void {
    const { tags: _tags, ...described } = describeHost(this.arns, host);
    const detail = { ...described, accountType: 'EC2', clusterArn: this.arns.cluster(host.record.cluster) };
    this.send(
      'ECS Container Instance State Change',
      this.arns.containerInstance(host.record.cluster, host.record.id),
      detail,
    );
  }

  private send(detailType: string, arn: string, resource: object): void {
    const timeMs = this.context.clock.now();
    const detail = plainJson({ ...resource, updatedAt: new Date(timeMs) });
    emitWithFaults(this.context, 'ecs.events', arn, () =>
      this.sink.emit({ source: 'aws.ecs', 'detail-type': detailType, detail, resources: [arn], timeMs }),
    );
  }
}
