import type { Refusal } from './desired.ts';
import type { IsolationProfile } from './profile.ts';

/** What a host can enforce, by name: `yes`, `partial: <what is missing>`, `no` or `no: <why>`. */
export type Capabilities = Readonly<Record<string, string>>;

/** Each knob that a profile names, with the capability without which it does nothing. */
export function knobsNamed(
  profile: IsolationProfile,
): readonly { readonly knob: string; readonly capability: string }[] {
  const { cpu, memory, io } = profile;
  const rates = ['readBytesPerSecond', 'writeBytesPerSecond', 'readIops', 'writeIops'] as const;
  const named: readonly (readonly [named: boolean, knob: string, capability: string])[] = [
    [cpu?.weight !== undefined, 'cpu.weight', 'cpuWeight'],
    [cpu?.limitUnits !== undefined, 'cpu.limitUnits', 'cpuQuota'],
    [cpu?.burstUs !== undefined, 'cpu.burstUs', 'cpuBurst'],
    [cpu?.pinned === true, 'cpu.pinned', 'cpuset'],
    [cpu?.partition !== undefined, 'cpu.partition', 'cpusetPartition'],
    [memory?.maxMiB !== undefined, 'memory.maxMiB', 'memoryMax'],
    [memory?.highMiB !== undefined, 'memory.highMiB', 'memoryHigh'],
    [memory?.lowMiB !== undefined, 'memory.lowMiB', 'memoryLow'],
    [memory?.minMiB !== undefined, 'memory.minMiB', 'memoryMin'],
    [memory?.swapMaxMiB !== undefined, 'memory.swapMaxMiB', 'swapMax'],
    [memory?.oomGroup === true, 'memory.oomGroup', 'oomGroup'],
    [io?.weight !== undefined, 'io.weight', 'ioWeight'],
    ...rates.map((rate) => [io?.[rate] !== undefined, `io.${rate}`, 'ioMax'] as const),
    [profile.pids !== undefined, 'pids.max', 'pids'],
    [profile.network !== undefined, 'network.egressMbps', 'egress'],
    [profile.hugetlb !== undefined, 'hugetlb', 'hugetlb'],
  ];
  return named.flatMap(([isNamed, knob, capability]) => (isNamed ? [{ knob, capability }] : []));
}

/** Names of what the host cannot do at all, in the order of the alphabet: this much of its report is placement's. */
export const cannot = (capabilities: Capabilities): string[] =>
  Object.keys(capabilities)
    .filter((name) => isNo(capabilities[name]))
    .sort();

/** What the profile names in vain on this host, with the host's reason. */
export const refusedBy = (profile: IsolationProfile, capabilities: Capabilities): Refusal[] =>
  knobsNamed(profile)
    .filter(({ capability }) => isNo(capabilities[capability]))
    .map(({ knob, capability }) => ({
      knob,
      reason: capabilities[capability]?.replace(/^no(: )?/, '') || 'the host cannot do it',
    }));

const isNo = (value: string | undefined): boolean => value === 'no' || value?.startsWith('no: ') === true;

/** Attribute of a host that cannot do what the capability names, and of one whose agent has told nothing yet. */
export const cannotAttribute = (capability: string): string => `berth.cannot.${capability}`;
export const SILENT_ATTRIBUTE = 'berth.agent-silent';

/** What a strict profile asks of a host, in ECS's cluster query language; undefined when it names no knob. */
export function strictExpression(profile: IsolationProfile): string | undefined {
  const needed = [...new Set(knobsNamed(profile).map(({ capability }) => capability))];
  if (profile.strict !== true || needed.length === 0) return undefined;
  return [SILENT_ATTRIBUTE, ...needed.map(cannotAttribute)]
    .map((name) => `attribute:${name} !exists`)
    .join(' and ');
}
