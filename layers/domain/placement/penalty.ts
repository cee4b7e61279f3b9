import { failureScore } from '../lifecycle/launchFailures.ts';
import type { Host } from '../model/host.ts';

/** More than any room can make up for: a host that stalls its tasks is taken only when no other holds the task. */
const PRESSURE_WEIGHT = 4;
/** Below this share of stalled time a host is merely busy. */
const EASY_PRESSURE = 0.1;
/** An agent reports every 30 s at least; one that has missed three is not there to enforce anything. */
const SILENT_MS = 90_000;
const SILENCE_WEIGHT = 4;
/** One recent failure weighs as much as the whole of a host's room, and no number of them rules a host out. */
const MAX_FAILURE_WEIGHT = 4;

/** Whether the agent has reported before and no longer does. */
export const isSilent = ({ agentSeenAt }: Pick<Host, 'agentSeenAt'>, nowMs: number): boolean =>
  agentSeenAt !== undefined && nowMs - agentSeenAt > SILENT_MS;

/** What counts against a host whatever the task; 0 for most. Added to scores, of which the least is best. */
export function penaltyOf(host: Host, nowMs: number): number {
  const { pressure, launchFailures } = host;
  let penalty = 0;
  if (isSilent(host, nowMs)) penalty += SILENCE_WEIGHT;
  else if (pressure !== undefined) {
    const stalled = Math.max(pressure.cpu, pressure.memory, pressure.io);
    if (stalled > EASY_PRESSURE) penalty += PRESSURE_WEIGHT * stalled;
  }
  if (launchFailures !== undefined) {
    penalty += Math.min(MAX_FAILURE_WEIGHT, failureScore(launchFailures, nowMs));
  }
  return penalty;
}

/** A penalty below this decides between hosts that are otherwise nearly alike; nobody asks why. */
const LEAST_WORTH_TELLING = 0.1;

/** In words what counts against the host; undefined when nothing does. */
export function whyPenalised(host: Host, nowMs: number): string | undefined {
  if (penaltyOf(host, nowMs) < LEAST_WORTH_TELLING) return undefined;
  const { pressure, agentSeenAt, launchFailures } = host;
  const reasons: string[] = [];
  if (isSilent(host, nowMs)) {
    reasons.push(`its agent has been silent for ${Math.round((nowMs - (agentSeenAt ?? 0)) / 1000)} s`);
  } else {
    for (const [what, stalled] of Object.entries(pressure ?? {})) {
      if (stalled > EASY_PRESSURE)
        reasons.push(`its tasks stall ${Math.round(stalled * 100)} % of the time for ${what}`);
    }
  }
  if (launchFailures !== undefined && failureScore(launchFailures, nowMs) >= LEAST_WORTH_TELLING) {
    reasons.push('launches on it failed a while ago');
  }
  return reasons.join(', ');
}
