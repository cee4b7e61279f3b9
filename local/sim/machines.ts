import type { InstanceType, Pool } from '../../layers/domain/model/pool.ts';
import type {
  BoughtInstance,
  Machines,
  ObservedMachine,
  PurchaseOutcome,
} from '../../layers/ports/machines.ts';
import type { EngineClock } from '../engine/clock.ts';
import type { AwsEvent } from '../engine/service.ts';
import type { VirtualHosts } from '../hosts/virtualHosts.ts';
import type { FaultRates } from './faultRates.ts';
import type { Random } from './random.ts';

export interface SimMachinesOptions {
  readonly clock: EngineClock;
  readonly hosts: VirtualHosts;
  readonly random: Random;
  readonly rates: () => FaultRates;
  readonly types: readonly InstanceType[];
  readonly emit: (event: AwsEvent) => void;
  readonly onTerminate: (hostId: string) => void;
}

export interface SimInstance extends BoughtInstance {
  readonly cluster: string;
  readonly pool: string;
  readonly orderId: string;
  readonly launchedAt: number;
  /** As EC2 charges it. */
  readonly usdPerHour: number;
  /** When EC2 stopped charging for it. */
  endedAt?: number;
  state: ObservedMachine['state'];
  before: ObservedMachine['state'] | undefined;
  changedAt: number;
}

const RUNNING_AFTER_MS = 5_000;
const SHUTDOWN_MS = 20_000;
/** EC2 shows a change late by up to this. */
const STALE_MS = 10_000;

/** EC2 as the machines port needs it, in virtual time: fleets by client token, shortages, boots, deaths, late reads. */
export class SimMachines implements Machines {
  readonly instances = new Map<string, SimInstance>();
  private readonly fleets = new Map<string, Extract<PurchaseOutcome, { outcome: 'bought' }>>();
  private readonly options: SimMachinesOptions;

  constructor(options: SimMachinesOptions) {
    this.options = options;
  }

  async instanceTypes(_pools: readonly Pool[]): Promise<InstanceType[]> {
    return [...this.options.types];
  }

  async buy(order: Parameters<Machines['buy']>[0], _pool: Pool): Promise<PurchaseOutcome> {
    const { random, rates } = this.options;
    if (random.chance(rates().throttle)) return { outcome: 'unknown', detail: 'RequestLimitExceeded' };
    const fleet = this.fleets.get(order.orderId) ?? this.makeFleet(order);
    this.fleets.set(order.orderId, fleet);
    return random.chance(rates().lostAnswer) ? { outcome: 'unknown', detail: 'timed out' } : fleet;
  }

  async terminate(hostIds: readonly string[]): Promise<void> {
    for (const hostId of hostIds) {
      const instance = this.instances.get(hostId);
      if (instance === undefined || instance.state === 'shutting-down' || instance.state === 'terminated')
        continue;
      this.options.onTerminate(hostId);
      this.change(instance, 'shutting-down');
      // The agent goes with the first services of a shutdown: how the containers end after that, ECS does not hear.
      this.options.hosts.silence(hostId);
      this.options.hosts.terminate(hostId, SHUTDOWN_MS);
      this.options.clock.after(SHUTDOWN_MS + 1, () => this.gone(hostId));
    }
  }

  async list(cluster: string): Promise<ObservedMachine[]> {
    const { random, rates, clock } = this.options;
    return [...this.instances.values()].flatMap((instance) => {
      if (instance.cluster !== cluster) return [];
      const young = clock.now() - instance.changedAt < STALE_MS;
      const state = young && random.chance(rates().staleRead) ? instance.before : instance.state;
      const { hostId, instanceType, zone, lifecycle, launchedAt, pool, orderId } = instance;
      return state === undefined
        ? []
        : [{ hostId, state, instanceType, zone, lifecycle, launchedAt, pool, orderId }];
    });
  }

  /** The instance is gone, asked for or not. */
  gone(hostId: string): void {
    const instance = this.instances.get(hostId);
    if (instance !== undefined && instance.state !== 'terminated') this.change(instance, 'terminated');
  }

  /**
   * EC2 takes the instance: it is gone at once, or it shuts down in order, upon which its agent tells of the containers that
   * that has ended as of any other.
   */
  take(hostId: string, inOrder: boolean, reason: string): void {
    const instance = this.instances.get(hostId);
    if (instance?.state !== 'running') return;
    if (!inOrder) {
      this.options.hosts.die(hostId, reason);
      return;
    }
    this.change(instance, 'shutting-down');
    this.options.hosts.terminate(hostId, SHUTDOWN_MS);
    this.options.clock.after(SHUTDOWN_MS + 1, () => this.gone(hostId));
  }

  /** EC2 warns that it takes a Spot instance back, and does so two minutes later. */
  interrupt(hostId: string, take: () => void): void {
    this.options.emit({
      source: 'aws.ec2',
      'detail-type': 'EC2 Spot Instance Interruption Warning',
      detail: { 'instance-id': hostId, 'instance-action': 'terminate' },
      resources: [],
    });
    this.options.clock.after(120_000, take);
  }

  private makeFleet(order: Parameters<Machines['buy']>[0]): Extract<PurchaseOutcome, { outcome: 'bought' }> {
    const { random, rates } = this.options;
    const shortages = order.offers
      .filter(() => random.chance(rates().insufficientCapacity))
      .map(({ instanceType, zone }) => ({
        instanceType,
        zone,
        lifecycle: order.lifecycle,
        code: 'InsufficientInstanceCapacity',
      }));
    const short = new Set(shortages.map(({ instanceType, zone }) => `${instanceType}/${zone}`));
    const offer = order.offers.find(({ instanceType, zone }) => !short.has(`${instanceType}/${zone}`));
    const instances: BoughtInstance[] = [];
    for (let index = 0; offer !== undefined && index < order.hosts; index++) {
      const { instanceType, zone } = offer;
      const bought = { hostId: `i-${random.hex(17)}`, instanceType, zone, lifecycle: order.lifecycle };
      instances.push(bought);
      this.launch(bought, order);
    }
    return { outcome: 'bought', instances, shortages, errors: [] };
  }

  private launch(bought: BoughtInstance, order: Parameters<Machines['buy']>[0]): void {
    const { clock, hosts, random, rates, types } = this.options;
    const type = types.find(({ name }) => name === bought.instanceType);
    const price = bought.lifecycle === 'spot' ? type?.spotUsdPerHour : type?.usdPerHour;
    const instance: SimInstance = {
      ...bought,
      usdPerHour: price ?? 0,
      cluster: order.cluster,
      pool: order.pool,
      orderId: order.orderId,
      launchedAt: clock.now(),
      state: 'pending',
      before: undefined,
      changedAt: clock.now(),
    };
    this.instances.set(bought.hostId, instance);
    this.tell(instance);
    if (random.chance(rates().failedBoot)) hosts.failBoot(bought.hostId, 'the agent never starts');
    hosts.boot({
      instanceId: bought.hostId,
      instanceType: bought.instanceType,
      vcpus: (type?.capacity.cpu ?? 0) / 1024,
      memoryMiB: type?.capacity.memory ?? 0,
      architecture: type?.architecture ?? 'x86_64',
      zone: bought.zone,
      lifecycle: bought.lifecycle,
      privateIp: '10.0.0.1',
      userData: '',
      tags: { 'berth:cluster': order.cluster, 'berth:pool': order.pool, 'berth:order': order.orderId },
    });
    clock.after(RUNNING_AFTER_MS, () => {
      if (instance.state === 'pending') this.change(instance, 'running');
    });
  }

  private change(instance: SimInstance, state: ObservedMachine['state']): void {
    instance.before = instance.state;
    instance.state = state;
    instance.changedAt = this.options.clock.now();
    if (state !== 'running') instance.endedAt ??= instance.changedAt;
    this.tell(instance);
  }

  private tell({ hostId, state }: SimInstance): void {
    this.options.emit({
      source: 'aws.ec2',
      'detail-type': 'EC2 Instance State-change Notification',
      detail: { 'instance-id': hostId, state },
      resources: [`arn:aws:ec2:us-east-1:000000000000:instance/${hostId}`],
    });
  }
}
