import { type CatalogueType, instanceTypes, isGeneral } from '../../local/ec2/catalogue.ts';
import { generalDemand, type TracePod } from './data/trace.ts';
import { atMost, type Figure, reported } from './figure.ts';
import { boundFor, MODEL_FIRST_FIT, MODEL_MANAGED, PROVIDER_TYPES, worthwhile } from './fleetBench.ts';
import { quantile } from './measure.ts';
import { karpenterLike } from './models/firstFitDecreasing.ts';
import { managedScaling } from './models/managedScaling.ts';
import { berthPolicy } from './replay/berth.ts';
import { type Job, type ReplayResult, replay, TIMING } from './replay/simulator.ts';

const MAX_HOST_VCPUS = 192;
const LONGEST_S = 6 * 3600;
/** What a placement may take beyond the boot of its host. */
const GRACE_MS = 5_000;

export interface Replays {
  readonly speedUp: number;
  readonly berth: ReplayResult;
  readonly managed: ReplayResult;
  readonly firstFit: ReplayResult;
}

export function replays(pods: readonly TracePod[], speedUp: number): Replays {
  const types = instanceTypes().filter((type) => isGeneral(type) && type.vcpus <= MAX_HOST_VCPUS);
  const bound = boundFor(types, MAX_HOST_VCPUS);
  const jobs = jobsOf(pods, speedUp);
  const providers = PROVIDER_TYPES.map((name) => types.find((type) => type.name === name)).filter(
    (type): type is CatalogueType => type !== undefined,
  );
  return {
    speedUp,
    berth: replay(jobs, berthPolicy(types, { maxHostVcpus: MAX_HOST_VCPUS }), bound),
    managed: replay(jobs, managedScaling(providers), bound),
    firstFit: replay(jobs, karpenterLike(worthwhile(types)), bound),
  };
}

/** Arrival times divided, lifetimes as recorded but at most six hours. */
function jobsOf(pods: readonly TracePod[], speedUp: number): Job[] {
  const first = Math.min(...pods.map(({ createdS }) => createdS));
  return pods.map((pod, n) => ({
    id: `j${n}`,
    demand: generalDemand(pod),
    arrivesMs: Math.round(((pod.createdS - first) * 1000) / speedUp),
    runsMs: Math.max(1, Math.min(LONGEST_S, pod.deletedS - pod.createdS)) * 1000,
    interruptible: true,
  }));
}

export function replayFigures(
  { speedUp, berth, managed, firstFit }: Replays,
  goal: number | undefined,
): Figure[] {
  const of = `openb replay /${speedUp.toLocaleString('en-US')}`;
  const beside = (read: (result: ReplayResult) => number) => ({
    [MODEL_MANAGED]: read(managed),
    [MODEL_FIRST_FIT]: read(firstFit),
  });
  const cost = ({ usd, boundUsd }: ReplayResult): number => round(usd / boundUsd);
  const p50 = ({ waits }: ReplayResult): number => round(quantile(waits, 0.5) / 1000);
  const p99 = ({ waits }: ReplayResult): number => round(quantile(waits, 0.99) / 1000);
  const moves = ({ evictions, waits }: ReplayResult): number => round(evictions / waits.length);
  const costName = `${of}: cost over the integral of LB(t)`;
  return [
    goal === undefined
      ? reported(costName, cost(berth), 'x', beside(cost))
      : atMost(costName, cost(berth), 'x', goal, beside(cost)),
    reported(`${of}: p50 wait`, p50(berth), 's', beside(p50)),
    atMost(`${of}: p99 wait`, p99(berth), 's', (TIMING.bootMs + GRACE_MS) / 1000, beside(p99)),
    reported(`${of}: moves a task`, moves(berth), 'x', beside(moves)),
  ];
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
