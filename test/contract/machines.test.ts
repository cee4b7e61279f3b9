import type { EC2Client } from '@aws-sdk/client-ec2';
import * as ec2Sdk from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEc2Machines } from '../../layers/aws/ec2/machines.ts';
import type { CapacityOrder, Pool } from '../../layers/domain/model/pool.ts';
import { parseIncoming } from '../../layers/events/incoming.ts';
import type { Machines, PurchaseOutcome } from '../../layers/ports/machines.ts';
import { createEc2, type Ec2 } from '../../local/ec2/ec2.ts';
import { zones } from '../../local/ec2/network.ts';
import type { AwsEvent } from '../../local/engine/service.ts';
import { invoke, type TestContext, testContext } from '../../local/engine/testContext.ts';
import { VirtualHosts } from '../../local/hosts/virtualHosts.ts';
import { inProcessClient } from '../../local/wire/inProcessClient.ts';

/** What the machines port promises, held by the EC2 adapter over the embedded EC2. */

let context: TestContext;
let ec2: Ec2;
let events: AwsEvent[];
let machines: Machines;
let pool: Pool;

const [zoneA, zoneB] = zones;
const subnets = Object.fromEntries(zones.map(({ name, subnetId }) => [name, subnetId]));

beforeEach(async () => {
  context = testContext();
  events = [];
  const backend = new VirtualHosts({ clock: context.clock, bootMs: 0, run: () => ({}) });
  ec2 = createEc2(context, {
    events: { emit: (event) => events.push(event) },
    backend,
    hooks: { booted: () => {}, shuttingDown: () => {}, terminated: () => {} },
  });
  backend.observe({
    booted: (id) => ec2.booted(id),
    bootFailed: (id, reason) => ec2.bootFailed(id, reason),
    terminated: (id, reason) => ec2.ended(id, reason),
    agentConnected: () => {},
    containerChanged: () => {},
  });
  machines = createEc2Machines({
    client: inProcessClient<EC2Client>({ service: ec2.service, sdk: ec2Sdk }),
    clock: context.clock,
    sleep: async () => {},
  });
  const images = await invoke<{ Images: { ImageId: string }[] }>(ec2.service, 'DescribeImages', {
    Filters: [{ Name: 'architecture', Values: ['x86_64'] }],
  });
  const template = await invoke<{ LaunchTemplate: { LaunchTemplateId: string } }>(
    ec2.service,
    'CreateLaunchTemplate',
    {
      LaunchTemplateName: 'hosts',
      LaunchTemplateData: { ImageId: images.Images[0]?.ImageId },
    },
  );
  pool = {
    name: 'default',
    cluster: 'demo',
    instanceTypes: ['c6i.large', 'm6i.large'],
    lifecycles: ['spot', 'on-demand'],
    zones: zones.map(({ name }) => name),
    minHosts: 0,
    maxHosts: 10,
    desiredHosts: 0,
    headroom: {},
    maxHostVcpus: 16,
    launchTemplate: template.LaunchTemplate.LaunchTemplateId,
    subnets,
    idleHostMs: 60_000,
    alarmStep: 1,
  };
});

const offer = (instanceType: string, zone: string) => ({
  instanceType,
  zone,
  subnet: subnets[zone] ?? '',
  usdPerHour: 0.085,
  capacity: { cpu: 2048, memory: 3600 },
  architecture: 'x86_64' as const,
});

const orderOf = (orderId: string, more: Partial<CapacityOrder> = {}): CapacityOrder => ({
  orderId,
  cluster: 'demo',
  pool: 'default',
  state: 'OPEN',
  createdAt: 0,
  lifecycle: 'on-demand',
  hosts: 2,
  offers: [offer('c6i.large', zoneA?.name ?? ''), offer('m6i.large', zoneB?.name ?? '')],
  reason: 'two tasks wait',
  bought: [],
  errors: [],
  ...more,
});

type Bought = Extract<PurchaseOutcome, { outcome: 'bought' }>;

async function bought(order: CapacityOrder): Promise<Bought> {
  const outcome = await machines.buy(order, pool);
  if (outcome.outcome !== 'bought') throw new Error(`not bought: ${JSON.stringify(outcome)}`);
  return outcome;
}

const idsOf = ({ instances }: Bought): string[] => instances.map(({ hostId }) => hostId).sort();

describe('buying', () => {
  it('gets what was ordered, the first offer before the others, and finds it by the cluster', async () => {
    const purchase = await bought(orderOf('order1'));
    expect(purchase).toMatchObject({ shortages: [], errors: [] });
    expect(purchase.instances).toHaveLength(2);
    for (const instance of purchase.instances) {
      expect(instance).toMatchObject({
        instanceType: 'c6i.large',
        zone: zoneA?.name,
        lifecycle: 'on-demand',
      });
    }
    const listed = await machines.list('demo');
    expect(listed.map(({ hostId }) => hostId).sort()).toEqual(idsOf(purchase));
    expect(listed[0]).toMatchObject({
      pool: 'default',
      orderId: 'order1',
      instanceType: 'c6i.large',
      zone: zoneA?.name,
    });
    expect(await machines.list('other')).toEqual([]);
  });

  it('buys once for one order, however often it is carried out', async () => {
    const first = await bought(orderOf('order1'));
    await context.clock.advance(60_000);
    expect(idsOf(await bought(orderOf('order1')))).toEqual(idsOf(first));
    expect(await machines.list('demo')).toHaveLength(2);
    expect(idsOf(await bought(orderOf('order2')))).not.toEqual(idsOf(first));
  });

  it('falls back along the offers and says what there was none of', async () => {
    ec2.setCapacity('c6i.large', zoneA?.name ?? '', 'on-demand', 1);
    const purchase = await bought(orderOf('order1'));
    expect(purchase.instances.map(({ instanceType }) => instanceType).sort()).toEqual([
      'c6i.large',
      'm6i.large',
    ]);
    ec2.setCapacity('m6i.large', zoneB?.name ?? '', 'on-demand', 1);
    const none = await bought(orderOf('order2'));
    expect(none.instances).toEqual([]);
    expect(none.shortages.map(({ instanceType, zone, code }) => [instanceType, zone, code]).sort()).toEqual([
      ['c6i.large', zoneA?.name, 'InsufficientInstanceCapacity'],
      ['m6i.large', zoneB?.name, 'InsufficientInstanceCapacity'],
    ]);
  });

  it('buys Spot as Spot', async () => {
    const purchase = await bought(orderOf('order1', { lifecycle: 'spot', hosts: 1 }));
    expect(purchase.instances).toMatchObject([{ lifecycle: 'spot' }]);
    expect(await machines.list('demo')).toMatchObject([{ lifecycle: 'spot' }]);
  });

  it('fails for good without its launch template', async () => {
    const outcome = await machines.buy(orderOf('order1'), {
      ...pool,
      launchTemplate: 'lt-00000000000000000',
    });
    expect(outcome).toMatchObject({ outcome: 'failed' });
  });
});

describe('giving back', () => {
  it('ends instances, again without harm, unknown ones too', async () => {
    const [hostId = ''] = idsOf(await bought(orderOf('order1', { hosts: 1 })));
    await context.clock.advance(30_000);
    await machines.terminate([hostId, 'i-00000000000000000']);
    await machines.terminate([hostId]);
    await context.clock.advance(60_000);
    expect(await machines.list('demo')).toMatchObject([{ hostId, state: 'terminated' }]);
  });

  it('is told by events that read as the list does', async () => {
    const [hostId = ''] = idsOf(await bought(orderOf('order1', { hosts: 1, lifecycle: 'spot' })));
    await context.clock.advance(30_000);
    ec2.recommendRebalance(hostId);
    ec2.interruptSpot(hostId, 1000);
    await context.clock.advance(60_000);
    const read = events.map((event) => parseIncoming({ id: 'e-1', time: '2026-01-01T00:00:00Z', ...event }));
    const told = (kind: string) => read.filter((event) => event.kind === kind);
    expect(told('rebalance-recommendation')).toMatchObject([{ hostId }]);
    expect(told('spot-interruption')).toMatchObject([{ hostId, action: 'terminate' }]);
    expect(told('ec2-state').at(-1)).toMatchObject({ hostId, state: 'terminated' });
    expect(told('malformed')).toEqual([]);
    expect(told('unknown')).toEqual([]);
    expect(await machines.list('demo')).toMatchObject([{ hostId, state: 'terminated' }]);
  });
});

describe('instance types', () => {
  it('are those of the pools’ patterns, with both prices', async () => {
    const types = await machines.instanceTypes([pool]);
    expect(types.map(({ name }) => name).sort()).toEqual(['c6i.large', 'm6i.large']);
    for (const type of types) {
      expect(type.usdPerHour).toBeGreaterThan(0);
      expect(type.spotUsdPerHour).toBeGreaterThan(0);
      expect(type.spotUsdPerHour).toBeLessThan(type.usdPerHour);
    }
  });

  it('follow wildcards', async () => {
    const types = await machines.instanceTypes([
      { ...pool, lifecycles: ['on-demand'], instanceTypes: ['c6i.*'] },
    ]);
    expect(types.length).toBeGreaterThan(3);
    expect(types.every(({ name }) => name.startsWith('c6i.'))).toBe(true);
  });
});
