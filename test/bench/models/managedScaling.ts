import type { InstanceType } from '../../../layers/domain/model/pool.ts';
import { fitsInto } from '../../../layers/domain/model/resources.ts';
import type { Fleet, Job, Policy } from '../replay/simulator.ts';
import { type Bin, firstFit, largestFirst, memoryOf } from './packing.ts';

const METRIC_MS = 60_000;
/** Alarms on the low side look at 15 datapoints. */
const SCALE_IN_DATAPOINTS = 15;
/** Hosts that warm up count as capacity, so that the same tasks are not bought for twice. */
const WARMUP_MS = 300_000;

/**
 * A model of Amazon ECS managed scaling, written from its documentation, not a measurement of it: the metric
 * CapacityProviderReservation once a minute, target 100; the hosts needed for PROVISIONING tasks are counted by bin packing
 * on the provider's (smallest) type; instance warm-up of 300 s; scale-in after 15 minutes, empty hosts only. Tasks use the
 * provider with the smallest type that holds them, placed by binpack on memory. Sources: "Automatically manage Amazon ECS
 * capacity with cluster auto scaling" (ECS Developer Guide) and "Deep dive on Amazon ECS cluster auto scaling" (AWS blog).
 */
export function managedScaling(providers: readonly InstanceType[]): Policy {
  const tooMany = new Map<string, number>();
  let nextTick = 0;
  const providerOf = ({ id, demand }: Job): InstanceType => {
    const type = providers.find(({ capacity }) => fitsInto(demand, capacity));
    if (type === undefined) throw new Error(`no capacity provider holds ${id}`);
    return type;
  };
  return {
    name: 'ECS managed scaling (model)',
    step(fleet) {
      placeWaiting(fleet, providerOf);
      if (fleet.now < nextTick) return;
      nextTick = fleet.now - (fleet.now % METRIC_MS) + METRIC_MS;
      fleet.wakeAt(nextTick);
      for (const type of providers) tick(fleet, type, providerOf, tooMany);
    },
  };
}

function placeWaiting(fleet: Fleet, providerOf: (job: Job) => InstanceType): void {
  for (const job of [...fleet.waiting.values()]) {
    const { name } = providerOf(job);
    const [best] = [...fleet.hosts.values()]
      .filter(
        (host) => host.state === 'READY' && host.instanceType === name && fitsInto(job.demand, host.left),
      )
      .sort((a, b) => memoryOf(a.left) - memoryOf(b.left));
    if (best !== undefined) fleet.place(job.id, best.hostId);
  }
}

function tick(
  fleet: Fleet,
  type: InstanceType,
  providerOf: (job: Job) => InstanceType,
  tooMany: Map<string, number>,
): void {
  const hosts = [...fleet.hosts.values()].filter(({ instanceType }) => instanceType === type.name);
  const waiting = [...fleet.waiting.values()].filter((job) => providerOf(job) === type);
  const needed = hostsFor(waiting, type);
  const empty = hosts.filter(({ claims }) => Object.keys(claims).length === 0);
  const warming = empty.filter(({ launchedAt }) => fleet.now - launchedAt < WARMUP_MS).length;
  for (let n = warming; n < needed; n += 1) fleet.launch(type);
  const spare = empty.filter(({ state }) => state === 'READY');
  const low = needed === 0 && spare.length > 0;
  tooMany.set(type.name, low ? (tooMany.get(type.name) ?? 0) + 1 : 0);
  if ((tooMany.get(type.name) ?? 0) < SCALE_IN_DATAPOINTS) return;
  for (const { hostId } of spare) fleet.terminate(hostId);
  tooMany.set(type.name, 0);
}

function hostsFor(jobs: readonly Job[], type: InstanceType): number {
  const bins: Bin[] = [];
  for (const { demand } of largestFirst(jobs)) {
    if (firstFit(bins, demand) !== undefined) continue;
    bins.push({ left: type.capacity });
    firstFit(bins.slice(-1), demand);
  }
  return bins.length;
}
