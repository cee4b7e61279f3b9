import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { marketOf } from '../../layers/domain/capacity/offers.ts';
import { planCapacity } from '../../layers/domain/capacity/plan.ts';
import { vectorBound } from '../../layers/domain/capacity/vectorBound.ts';
import type { Pool } from '../../layers/domain/model/pool.ts';
import { plus, type Resources } from '../../layers/domain/model/resources.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import { cluster, pool, snapshot, task } from '../../layers/domain/placement/testWorld.ts';
import { type CatalogueType, instanceTypes, isGeneral } from '../../local/ec2/catalogue.ts';
import { generalDemand, type TracePod } from './data/trace.ts';
import { genericDemands, twoSizes } from './data/workloads.ts';
import { atMost, type Figure } from './figure.ts';
import { firstFitDecreasing } from './models/firstFitDecreasing.ts';

export const MODEL_FIRST_FIT = 'Karpenter-like first fit (model)';
export const MODEL_MANAGED = 'ECS managed scaling (model)';

/** The host sizes of three capacity providers, for the model of managed scaling. */
export const PROVIDER_TYPES = ['m6a.4xlarge', 'm6a.16xlarge', 'r6a.48xlarge'];

export function fleetFigures(pods: readonly TracePod[]): Figure[] {
  const types = instanceTypes().filter(isGeneral);
  const cases: readonly (readonly [string, readonly Resources[], number, number])[] = [
    ['100 generic tasks', genericDemands(100, 1), 64, 5],
    ['1,000 generic tasks', genericDemands(1_000, 1), 64, 2],
    ['5,000 generic tasks', genericDemands(5_000, 1), 64, 2],
    ['500 x (0.9 vCPU, 3,100 MiB) + 500 x (3.5, 28 GiB)', twoSizes(), 64, 2],
    [`openb sample, ${pods.length.toLocaleString('en-US')} tasks`, pods.map(generalDemand), 192, 2],
  ];
  return [...cases.map((each) => overBound(types, ...each)), ...solveCost()];
}

const poolOf = (maxHostVcpus: number): Pool =>
  pool({ maxHosts: 100_000, maxHostVcpus, zones: ['us-east-1a'] });

export const tasksOf = (demands: readonly Resources[]): Task[] =>
  demands.map((demand, n) => task(`t${n}`, { demand }, { acceptedAt: n }));

/** USD an hour of the plan's instances. */
export function plannedPrice(
  types: readonly CatalogueType[],
  demands: readonly Resources[],
  maxHostVcpus: number,
): number {
  const pending = tasksOf(demands);
  const given = snapshot({
    cluster: cluster({ pools: [poolOf(maxHostVcpus)] }),
    pending,
    instanceTypes: types,
  });
  const { orders, stuck } = planCapacity(given, pending, 0);
  if (stuck.length > 0) throw new Error(stuck[0]?.detail);
  return orders.reduce((sum, { hosts, offers }) => sum + hosts * (offers[0]?.usdPerHour ?? 0), 0);
}

/** The linear-programming bound of a total demand over the types a pool may buy. */
export function boundFor(
  types: readonly CatalogueType[],
  maxHostVcpus: number,
): (total: Resources) => number {
  const { offers } = marketOf([poolOf(maxHostVcpus)], types, [], 0);
  const vectors = offers.map(({ type, usdPerHour }) => ({
    capacity: Float64Array.of(type.capacity.cpu ?? 0, type.capacity.memory ?? 0),
    price: usdPerHour,
    gpus: 0,
  }));
  const useful = vectors.filter(
    (a) =>
      !vectors.some(
        (b) =>
          b !== a && b.price < a.price && a.capacity.every((amount, d) => amount <= (b.capacity[d] ?? 0)),
      ),
  );
  return (total) => {
    const vector = Float64Array.of(total.cpu ?? 0, total.memory ?? 0);
    return vector.some((amount) => amount > 0) ? vectorBound(vector, useful).price : 0;
  };
}

function overBound(
  types: readonly CatalogueType[],
  name: string,
  demands: readonly Resources[],
  maxHostVcpus: number,
  goal: number,
): Figure {
  const total = demands.reduce((sum: Resources, demand) => plus(sum, demand), {});
  const bound = boundFor(types, maxHostVcpus)(total);
  const over = (usd: number): number => round((usd / bound - 1) * 100);
  const allowed = types.filter(({ vcpus }) => vcpus <= maxHostVcpus);
  const { nodes } = firstFitDecreasing(
    demands.map((demand) => ({ demand })),
    [],
    worthwhile(allowed),
  );
  const firstFit = nodes.reduce((sum, { type }) => sum + type.usdPerHour, 0);
  return atMost(
    `fleet cost over the LP bound: ${name}`,
    over(plannedPrice(types, demands, maxHostVcpus)),
    '%',
    goal,
    { [MODEL_FIRST_FIT]: over(firstFit) },
  );
}

/** Types no other type beats in everything: the others change no model's choice and cost it time. */
export const worthwhile = (types: readonly CatalogueType[]): CatalogueType[] =>
  types.filter(
    (a) =>
      !types.some(
        (b) =>
          b !== a &&
          b.usdPerHour < a.usdPerHour &&
          (b.capacity.cpu ?? 0) >= (a.capacity.cpu ?? 0) &&
          (b.capacity.memory ?? 0) >= (a.capacity.memory ?? 0),
      ),
  );

/** In a process of its own, so that its peak memory is the solve's. */
function solveCost(): Figure[] {
  const script = fileURLToPath(new URL('./solveAlone.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(stderr);
  const { ms, peakMiB, types } = JSON.parse(stdout) as { ms: number; peakMiB: number; types: number };
  const name = `solve 10,000 tasks over all ${types.toLocaleString('en-US')} types`;
  return [
    atMost(name, round(ms / 1000), 's', 0.5),
    atMost(`${name}: peak memory`, Math.round(peakMiB), 'MB', 300),
  ];
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
