import type { Claim, Host } from '../model/host.ts';
import type { Pool } from '../model/pool.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import { isSilent } from './penalty.ts';

/** Hosts of pools that overcommit carry it, with the factor: tasks whose CPU ECS caps at what it sets aside keep off them. */
export const OVERCOMMIT_ATTRIBUTE = 'berth.cpu-overcommit';
export const NOT_OVERCOMMITTED = `attribute:${OVERCOMMIT_ATTRIBUTE} !exists`;

/** Measured use is filled up to this share of a host: the rest is for what the next minutes bring. */
const TARGET = 0.8;
/** Agents measure over five minutes: what is younger is taken to use all it asks. */
const MEASURED_AFTER_MS = 300_000;

/** What is set aside of a host for a task that asks `demand`, in Berth's account and in ECS's. */
export const setAside = (demand: Resources, factor: number | undefined): Resources =>
  factor === undefined || demand.cpu === undefined
    ? demand
    : { ...demand, cpu: asideCpu(demand.cpu, factor) };

/** Rounded down, so that parts never add up to more than the whole has been divided into. */
export const asideCpu = (cpuUnits: number, factor: number): number => Math.floor(cpuUnits / factor);

/**
 * Hosts as planning is to see them: in what tasks ask, not in what is set aside. A host of a pool that overcommits by
 * `cpuOvercommit` has room for as much as was not asked of it, and beyond that for what its tasks, measured, do not use.
 */
export function withOvercommit(
  hosts: readonly Host[],
  pools: readonly Pool[],
  nowMs: number,
): readonly Host[] {
  const factors = new Map(pools.map(({ name, cpuOvercommit }) => [name, cpuOvercommit]));
  if (![...factors.values()].some(isFactor)) return hosts;
  return hosts.map((host) => {
    const factor = factors.get(host.pool);
    return isFactor(factor) ? asAsked(host, factor, nowMs) : host;
  });
}

const isFactor = (factor: number | undefined): factor is number => factor !== undefined && factor > 1;

function asAsked(host: Host, factor: number, nowMs: number): Host {
  const claims = Object.fromEntries(
    Object.entries(host.claims).map(([key, claim]) => [key, claimAsAsked(claim, factor)]),
  );
  const asked = sumCpu(Object.values(claims));
  const unmeasured = sumCpu(
    Object.values(claims).filter(({ claimedAt }) => nowMs - claimedAt < MEASURED_AFTER_MS),
  );
  const whole = amountOf(host.capacity, 'cpu');
  const { usage } = host;
  const byUse =
    usage === undefined || isSilent(host, nowMs) ? 0 : TARGET * whole - usage.cpuP95 * 1024 - unmeasured;
  const most = Math.min(amountOf(host.left, 'cpu'), whole) * factor;
  const cpu = Math.max(0, Math.floor(Math.min(most, Math.max(whole - asked, byUse))));
  return {
    ...host,
    claims,
    capacity: { ...host.capacity, cpu: asked + cpu },
    left: { ...host.left, cpu },
    attributes: { ...host.attributes, [OVERCOMMIT_ATTRIBUTE]: String(factor) },
    cpuOvercommit: factor,
  };
}

/** Room held for a task is not a task's: it is kept as it stands on record. */
const claimAsAsked = (claim: Claim, factor: number): Claim =>
  claim.hold !== undefined || claim.demand.cpu === undefined
    ? claim
    : { ...claim, demand: { ...claim.demand, cpu: Math.round(claim.demand.cpu * factor) } };

const sumCpu = (claims: readonly Claim[]): number =>
  claims.reduce((sum, { demand }) => sum + amountOf(demand, 'cpu'), 0);
