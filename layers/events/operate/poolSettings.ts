import * as v from 'valibot';
import { DEFAULT_BUDGET } from '../../domain/capacity/disruption.ts';
import type { DisruptionBudget, TimeWindow } from '../../domain/model/disruption.ts';
import type { Pool } from '../../domain/model/pool.ts';
import { sentence } from '../parseStrict.ts';
import { listOf, text, whole } from '../taskRequested/fields.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

const number = (min: number, max: number, what: string, fix: string) =>
  v.pipe(
    v.number(),
    v.minValue(min),
    v.maxValue(max),
    v.description(`a number from ${min} to ${max}: ${what}`),
    v.metadata({ fix }),
  );

const time = text(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of the day, UTC, as HH:MM', 'For example "22:30".');

const windowEntries = {
  days: v.exactOptional(
    listOf(
      v.pipe(v.picklist(days), v.description(`one of ${days.join(', ')}`)),
      7,
      'days on which it begins',
      'Leave it out for every day.',
    ),
  ),
  from: time,
  /** Over midnight when it is not after `from`. */
  to: time,
};
const window = v.pipe(
  v.strictObject(windowEntries),
  v.description('an object with from, to and perhaps days'),
);
const minimum = v.pipe(
  v.strictObject({
    ...windowEntries,
    hosts: whole(1, 5000, 'hosts wanted then', 'Leave the window out for none.'),
  }),
  v.description('an object with from, to, hosts and perhaps days'),
);

const { moveUsd, lostWork, maxShare, settleMs, paybackMs } = DEFAULT_BUDGET;

/** What a pool may be told about money, by its declaration and by the operator. */
export const moneyEntries = {
  hostUsdPerHour: v.exactOptional(
    number(0, 1000, 'what any host costs an hour beside its instance, USD', 'Add up volume and licences.'),
  ),
  leastHosts: v.exactOptional(
    whole(1, 5000, 'hosts over which the tasks are spread at least', 'For example 3.'),
  ),
  cpuOvercommit: v.exactOptional(
    number(1, 8, 'CPU that tasks may be promised, as a multiple of what a host has', 'For example 1.5.'),
  ),
  spotInterruptionsPerHour: v.exactOptional(
    number(0, 1, 'interruptions expected of a Spot host in an hour', 'For example 0.01.'),
  ),
  minimums: v.exactOptional(
    listOf(minimum, 24, 'hosts wanted at some hours', 'Join hours that follow each other.'),
  ),
  disruption: v.exactOptional(
    v.pipe(
      v.strictObject({
        maxShare: v.exactOptional(
          number(0, 1, 'share of the hosts emptied at one time, 0 for none', 'For example 0.1.'),
          maxShare,
        ),
        maxHostsPerHour: v.exactOptional(
          whole(0, 5000, 'hosts emptied in any hour', 'Leave it out for no bound.'),
        ),
        windows: v.exactOptional(
          listOf(window, 24, 'times at which it may happen', 'Leave it out for any time.'),
        ),
        moveUsd: v.exactOptional(
          number(0, 1000, 'what moving one task costs, USD', 'For example 0.0002.'),
          moveUsd,
        ),
        lostWork: v.exactOptional(
          number(
            0,
            1,
            'share of its work that a moved task loses',
            '1 when it starts over, 0 when it loses none.',
          ),
          lostWork,
        ),
        settleSeconds: v.exactOptional(
          whole(0, 86_400, 'how long hosts and tasks are left alone at first', 'For example 60.'),
          settleMs / 1000,
        ),
        paybackSeconds: v.exactOptional(
          whole(1, 86_400, 'within which time a move has to have paid for itself', 'For example 600.'),
          paybackMs / 1000,
        ),
      }),
      v.description('an object that says how much may be disturbed to save money'),
    ),
  ),
};

export const poolChangesSchema = v.pipe(
  v.strictObject({
    minHosts: v.exactOptional(whole(0, 5000, 'hosts kept at least', 'At most maxHosts.')),
    maxHosts: v.exactOptional(whole(0, 5000, 'hosts at most', 'ECS holds 5,000 in a cluster.')),
    maxHostVcpus: v.exactOptional(whole(1, 1024, 'vCPUs of the largest host bought', 'For example 16.')),
    idleHostSeconds: v.exactOptional(whole(1, 86_400, 'how long an empty host is kept', 'For example 60.')),
    headroom: v.exactOptional(
      v.pipe(
        v.record(v.pipe(v.string(), v.minLength(1)), v.pipe(v.number(), v.integer(), v.minValue(0))),
        v.maxEntries(16),
        v.description('an object of amounts kept free, by dimension (cpu units, MiB of memory)'),
        v.metadata({ fix: 'For example {"cpu": 2048, "memory": 4096}.' }),
      ),
    ),
    ...moneyEntries,
  }),
  v.check(
    (changes) => Object.keys(changes).length > 0,
    sentence('There is nothing to change.', 'Name a setting.'),
  ),
  v.description('an object of settings to change'),
);

export type PoolChanges = v.InferOutput<typeof poolChangesSchema>;
type Money = v.InferOutput<ReturnType<typeof moneySchema>>;
const moneySchema = () => v.strictObject(moneyEntries);

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

const windowOf = (given: v.InferOutput<typeof window>): TimeWindow => ({
  ...(given.days !== undefined && { days: given.days.map((day) => days.indexOf(day)) }),
  fromMinute: minuteOf(given.from),
  toMinute: minuteOf(given.to),
});

const budgetFrom = ({
  settleSeconds,
  paybackSeconds,
  windows,
  ...plain
}: NonNullable<Money['disruption']>): DisruptionBudget => ({
  ...plain,
  settleMs: settleSeconds * 1000,
  paybackMs: paybackSeconds * 1000,
  ...(windows !== undefined && { windows: windows.map(windowOf) }),
});

/** The money settings as a pool keeps them; what was left out is left out. */
export const moneyOf = ({
  hostUsdPerHour,
  leastHosts,
  cpuOvercommit,
  spotInterruptionsPerHour,
  minimums,
  disruption,
}: Money): Partial<Pool> => ({
  ...(hostUsdPerHour !== undefined && { hostUsdPerHour }),
  ...(leastHosts !== undefined && { leastHosts }),
  ...(cpuOvercommit !== undefined && { cpuOvercommit }),
  ...(spotInterruptionsPerHour !== undefined && { spotInterruptionsPerHour }),
  ...(minimums !== undefined && {
    minimums: minimums.map((minimum) => ({ ...windowOf(minimum), hosts: minimum.hosts })),
  }),
  ...(disruption !== undefined && { disruption: budgetFrom(disruption) }),
});

/** The settings that change, as a pool keeps them. */
export function changesOf({ idleHostSeconds, minimums, disruption, ...plain }: PoolChanges): Partial<Pool> {
  return {
    ...plain,
    ...(idleHostSeconds !== undefined && { idleHostMs: idleHostSeconds * 1000 }),
    ...moneyOf({
      ...(minimums !== undefined && { minimums }),
      ...(disruption !== undefined && { disruption }),
    }),
  };
}
