import type { CreateFleetCommandInput, CreateFleetCommandOutput, Instance } from '@aws-sdk/client-ec2';
import type { AwsEvent } from '../engine/service.ts';
import { type TestContext, testCall, testContext } from '../engine/testContext.ts';
import { VirtualHosts } from '../hosts/virtualHosts.ts';
import { createEc2, type Ec2, type Ec2Parts } from './ec2.ts';
import { images } from './images.ts';
import type { InstanceRecord } from './records.ts';

export const X86_IMAGE = images.find((image) => image.architecture === 'x86_64')?.imageId ?? '';

export interface TestEc2 {
  readonly context: TestContext;
  readonly ec2: Ec2;
  readonly hosts: VirtualHosts;
  readonly events: AwsEvent[];
  /** Names of hooks with the instance id, in the order of their calls. */
  readonly hooks: string[];
  call<O>(operation: string, input: object): Promise<O>;
  /** A launch template `pool` of this image, without a type. */
  template(data?: object): Promise<string>;
  /** An instant fleet of `target` from the template, over types in zone a unless overrides say otherwise. */
  fleet(target: number, input?: FleetInput): Promise<CreateFleetCommandOutput>;
  instances(filters?: Record<string, string[]>): Promise<Instance[]>;
}

export interface FleetInput extends Partial<CreateFleetCommandInput> {
  readonly types?: readonly string[];
  readonly overrides?: NonNullable<CreateFleetCommandInput['LaunchTemplateConfigs']>[number]['Overrides'];
  readonly lifecycle?: 'spot' | 'on-demand';
}

export function testEc2(over: Partial<TestContext> = {}, parts: Partial<Ec2Parts> = {}): TestEc2 {
  const context = testContext(over);
  const hosts = new VirtualHosts({ clock: context.clock, bootMs: 0, run: () => ({}) });
  const events: AwsEvent[] = [];
  const hooks: string[] = [];
  const note =
    (name: string) =>
    (record: InstanceRecord): void => {
      hooks.push(`${name} ${record.instanceId}`);
    };
  const ec2 = createEc2(context, {
    events: { emit: (event) => events.push(event) },
    backend: hosts,
    hooks: {
      booted: note('booted'),
      warned: note('warned'),
      shuttingDown: note('shuttingDown'),
      terminated: note('terminated'),
    },
    ...parts,
  });
  hosts.observe({
    booted: (id) => ec2.booted(id),
    bootFailed: (id, reason) => ec2.bootFailed(id, reason),
    terminated: (id, reason) => ec2.ended(id, reason),
    agentConnected: () => {},
    containerChanged: () => {},
  });
  const test: TestEc2 = {
    context,
    ec2,
    hosts,
    events,
    hooks,
    call: async <O>(operation: string, input: object) =>
      (await ec2.service.operations[operation]?.(input, testCall)) as O,
    async template(data = {}) {
      const output = await test.call<{ LaunchTemplate: { LaunchTemplateId: string } }>(
        'CreateLaunchTemplate',
        {
          LaunchTemplateName: 'pool',
          LaunchTemplateData: { ImageId: X86_IMAGE, ...data },
        },
      );
      return output.LaunchTemplate.LaunchTemplateId;
    },
    fleet(target, input = {}) {
      const { types = ['c6i.large'], overrides, lifecycle = 'on-demand', ...rest } = input;
      return test.call('CreateFleet', {
        Type: 'instant',
        LaunchTemplateConfigs: [
          {
            LaunchTemplateSpecification: { LaunchTemplateName: 'pool', Version: '$Latest' },
            Overrides:
              overrides ?? types.map((type) => ({ InstanceType: type, AvailabilityZone: 'us-east-1a' })),
          },
        ],
        TargetCapacitySpecification: { TotalTargetCapacity: target, DefaultTargetCapacityType: lifecycle },
        ...rest,
      });
    },
    async instances(filters = {}) {
      const { Reservations } = await test.call<{ Reservations: { Instances: Instance[] }[] }>(
        'DescribeInstances',
        {
          Filters: Object.entries(filters).map(([Name, Values]) => ({ Name, Values })),
        },
      );
      return Reservations.flatMap((reservation) => reservation.Instances);
    },
  };
  return test;
}
