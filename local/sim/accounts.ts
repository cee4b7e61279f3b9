import { hostCost } from '../../layers/domain/capacity/hostCost.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { SimInstance } from './machines.ts';

/** A host's record as it was removed: what the control plane accounts for. */
interface Account {
  readonly host: Host;
  readonly removedAt: number;
}

/** A call of EC2 that is answered late, and a list that lags: so far may a purchase be noted from where it was. */
const LAUNCH_NOTED_WITHIN_MS = 30_000;
const LEAST_MS = 60_000;

/** What the records say that hosts cost, to be held against what EC2 charges. */
export class Accounts {
  private readonly ended = new Map<string, Account[]>();

  hostRemoved(host: Host, removedAt: number): void {
    this.ended.set(host.hostId, [...(this.ended.get(host.hostId) ?? []), { host, removedAt }]);
  }

  /** As `Host Ended` says it, summed. */
  get usd(): number {
    return [...this.ended.values()]
      .flat()
      .reduce((sum, { host, removedAt }) => sum + hostCost(host, host.stateSince ?? removedAt).usd, 0);
  }

  /**
   * Each instance's difference, in words. Where EC2's event of an end was lost, the end is when it was found: between the
   * two the account may lie. `skewMs`: by so much clocks are off.
   */
  differences(
    instances: Iterable<SimInstance>,
    onRecord: ReadonlyMap<string, Host>,
    skewMs: number,
  ): { readonly hostId: string; readonly what: string }[] {
    return [...instances].flatMap((instance) => {
      const what = this.differenceOf(instance, onRecord.get(instance.hostId), skewMs);
      return what === undefined ? [] : [{ hostId: instance.hostId, what }];
    });
  }

  private differenceOf(
    instance: SimInstance,
    recorded: Host | undefined,
    skewMs: number,
  ): string | undefined {
    const { hostId, endedAt, launchedAt, usdPerHour } = instance;
    const [account, ...more] = this.ended.get(hostId) ?? [];
    if (more.length > 0) return `is accounted for ${more.length + 1} times`;
    const host = account?.host ?? recorded;
    if (host === undefined) return 'is accounted for nowhere';
    if (host.usdPerHour !== usdPerHour) return `costs ${usdPerHour} an hour and is put at ${host.usdPerHour}`;
    const offMs = Math.abs(host.launchedAt - launchedAt);
    if (offMs > LAUNCH_NOTED_WITHIN_MS + skewMs)
      return `was launched ${offMs} ms from when it is said to have been`;
    if (account === undefined) return undefined;
    if (endedAt === undefined) return 'runs on and is accounted for as ended';
    const end = account.host.stateSince;
    if (end === undefined) return 'has no end in its account';
    // Events tell whole milliseconds.
    const within = end >= Math.floor(endedAt) - skewMs && end <= account.removedAt + skewMs;
    return within ? undefined : `ended at ${endedAt} and is said to have at ${end}`;
  }
}

/** What EC2 charges for an instance until `now`, USD: by the second, at least a minute. */
export const chargeOf = ({ usdPerHour, launchedAt, endedAt }: SimInstance, now: number): number =>
  (usdPerHour * Math.max(LEAST_MS, (endedAt ?? now) - launchedAt)) / 3_600_000;
