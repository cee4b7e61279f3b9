import { emitWithFaults } from '../engine/faultyOperation.ts';
import type { EngineContext, EventSink } from '../engine/service.ts';
import type { InstanceRecord } from './records.ts';

/** EC2's events about instances. A fault at `ec2.events`, asked with the instance id, doubles, delays or drops them. */
export class Ec2Events {
  private readonly context: EngineContext;
  private readonly sink: EventSink;

  constructor(context: EngineContext, sink: EventSink) {
    this.context = context;
    this.sink = sink;
  }

  stateChanged(record: InstanceRecord): void {
    const detail = { 'instance-id': record.instanceId, state: record.state };
    this.send('EC2 Instance State-change Notification', this.arn(record), record, detail);
  }

  interruptionWarning(record: InstanceRecord): void {
    const detail = { 'instance-id': record.instanceId, 'instance-action': 'terminate' };
    // This one event names the instance by its zone and without an account.
    const arn = `arn:aws:ec2:${record.zone}:instance/${record.instanceId}`;
    this.send('EC2 Spot Instance Interruption Warning', arn, record, detail);
  }

  rebalanceRecommendation(record: InstanceRecord): void {
    const detail = { 'instance-id': record.instanceId };
    this.send('EC2 Instance Rebalance Recommendation', this.arn(record), record, detail);
  }

  private arn(record: InstanceRecord): string {
    return `arn:aws:ec2:${this.context.region}:${this.context.accountId}:instance/${record.instanceId}`;
  }

  private send(detailType: string, arn: string, record: InstanceRecord, detail: object): void {
    const timeMs = this.context.clock.now();
    emitWithFaults(this.context, 'ec2.events', record.instanceId, () =>
      this.sink.emit({ source: 'aws.ec2', 'detail-type': detailType, detail, resources: [arn], timeMs }),
    );
  }
}
