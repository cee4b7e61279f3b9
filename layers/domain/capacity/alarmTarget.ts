import type { AlarmOnPool, Pool } from '../model/pool.ts';

/** What an alarm has said of a pool. `at` is when its state changed, epoch ms. */
export interface AlarmSaid {
  readonly alarmName: string;
  readonly state: AlarmOnPool['state'];
  readonly at: number;
}

/** The part of a pool that alarms change; written as a whole or not at all. */
export type AlarmTarget = Pick<Pool, 'desiredHosts' | 'alarms'>;

/** Alarms that hold no host are remembered, latest first, so that a late ALARM does not outlive its OK. */
const MAX_SILENT_ALARMS = 64;

/**
 * The pool's target after an alarm has spoken; undefined when this change, or a later one of the same alarm, has counted
 * already. ALARM adds `alarmStep` hosts within the pool's bounds, once however often the alarm comes back to it; OK takes
 * away what that alarm had added and nothing else. An alarm that starts its life as OK therefore moves nothing, and the
 * order in which the tellings of several changes arrive makes no difference to the end.
 */
export function alarmTarget(pool: Pool, said: AlarmSaid): AlarmTarget | undefined {
  const before = pool.alarms?.[said.alarmName];
  if (before !== undefined && before.at >= said.at) return undefined;
  const held = before?.hosts ?? 0;
  const wanted = said.state === 'OK' ? -held : held > 0 ? 0 : pool.alarmStep;
  const desiredHosts = Math.min(pool.maxHosts, Math.max(pool.minHosts, pool.desiredHosts + wanted));
  const hosts = said.state === 'OK' ? 0 : held + Math.max(0, desiredHosts - pool.desiredHosts);
  const alarms = { ...pool.alarms, [said.alarmName]: { state: said.state, at: said.at, hosts } };
  return { desiredHosts, alarms: withoutOldest(alarms) };
}

function withoutOldest(alarms: Readonly<Record<string, AlarmOnPool>>): Record<string, AlarmOnPool> {
  const silent = Object.entries(alarms)
    .filter(([, { hosts }]) => hosts === 0)
    .sort(([, a], [, b]) => b.at - a.at);
  const forgotten = new Set(silent.slice(MAX_SILENT_ALARMS).map(([name]) => name));
  return Object.fromEntries(Object.entries(alarms).filter(([name]) => !forgotten.has(name)));
}
