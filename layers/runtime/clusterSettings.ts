import * as v from 'valibot';
import type { Cluster, Pool } from '../domain/model/pool.ts';
import { moneyEntries, moneyOf } from '../events/operate/poolSettings.ts';
import { SettingsError } from './settingsError.ts';

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64'));
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));

const poolSchema = v.strictObject({
  name,
  instanceTypes: v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1), v.maxLength(100)),
  /** That of the launch template's image. */
  architecture: v.optional(v.picklist(['x86_64', 'arm64']), 'x86_64'),
  lifecycles: v.optional(v.pipe(v.array(v.picklist(['spot', 'on-demand'])), v.minLength(1)), ['on-demand']),
  minHosts: v.optional(count(5000), 0),
  maxHosts: v.optional(count(5000), 10),
  headroom: v.optional(v.record(v.string(), count(Number.MAX_SAFE_INTEGER)), {}),
  maxHostVcpus: v.optional(count(1024), 64),
  launchTemplate: v.pipe(v.string(), v.minLength(1)),
  /** Zone to subnet; the zones of the pool are these. */
  subnets: v.record(v.string(), v.pipe(v.string(), v.minLength(1))),
  idleHostSeconds: v.optional(count(86_400), 120),
  alarmStep: v.optional(count(1000), 1),
  ...moneyEntries,
});

const clusterSchema = v.strictObject({
  name,
  /** 250 hosts to a cell keep a cell's partition well below its write limit. */
  cells: v.optional(v.pipe(count(64), v.minValue(1)), 1),
  pools: v.pipe(v.array(poolSchema), v.maxLength(50)),
});

const clustersSchema = v.pipe(v.array(clusterSchema), v.maxLength(10));

function toPool(cluster: string, pool: v.InferOutput<typeof poolSchema>): Pool {
  const zones = Object.keys(pool.subnets).sort();
  if (zones.length === 0) {
    throw new SettingsError(
      `BERTH_CLUSTERS: pool ${pool.name} names no subnet: give one zone and its subnet.`,
    );
  }
  if (pool.minHosts > pool.maxHosts) {
    throw new SettingsError(`BERTH_CLUSTERS: pool ${pool.name} has minHosts above maxHosts: raise maxHosts.`);
  }
  const { idleHostSeconds, minimums: _minimums, disruption: _budget, ...rest } = pool;
  const idleHostMs = idleHostSeconds * 1000;
  return { ...rest, ...moneyOf(pool), cluster, zones, desiredHosts: pool.minHosts, idleHostMs };
}

/**
 * The clusters and pools of a deployment, from the JSON of BERTH_CLUSTERS, defaults filled in.
 * @throws SettingsError with the path, the rule and what was found.
 */
export function parseClusterSettings(json: string): Cluster[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new SettingsError(`BERTH_CLUSTERS is not JSON: ${(cause as Error).message}.`, { cause });
  }
  const parsed = v.safeParse(clustersSchema, value);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'value'}: ${issue.message}`);
    throw new SettingsError(`BERTH_CLUSTERS: ${problems.join('; ')}.`);
  }
  return parsed.output.map((cluster) => ({
    ...cluster,
    paused: false,
    pools: cluster.pools.map((pool) => toPool(cluster.name, pool)),
  }));
}
