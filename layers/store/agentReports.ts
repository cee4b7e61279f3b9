import type { HostReport } from '../domain/isolation/hostReport.ts';
import type { Host } from '../domain/model/host.ts';
import { Expression } from './expression.ts';
import { reportKey } from './keys.ts';
import { getItems, type Table } from './tableAccess.ts';

/** Agents report every 30 s when nothing changes: a pass a moment later reads nothing new. */
const FRESH_MS = 15_000;
/** Each of them reads 100 at a time. */
const READ_AT_ONCE = 8;
/** Twice what a cluster holds; beyond it the oldest world is forgotten whole. */
const MAX_REMEMBERED = 10_000;

/** What planning reads of a report; an older agent's has no `cannot`. */
export type PlanningReport = Pick<HostReport, 'seenAt' | 'pressure' | 'usage'> &
  Partial<Pick<HostReport, 'cannot'>>;

interface Read {
  readonly readAt: number;
  readonly report: PlanningReport | undefined;
}

/**
 * Adds to hosts what their agents report, each from its own partition: batched reads, eventually consistent, repeated no
 * sooner than reports are. A host that ECS does not know has no partition that is known here.
 */
export function agentReports(table: Table, now: () => number): (hosts: readonly Host[]) => Promise<Host[]> {
  const known = new Map<string, Read>();
  return async (hosts) => {
    const at = now();
    const partitions = new Map<string, string>();
    for (const host of hosts) {
      const partition = instanceArn(host);
      if (partition !== undefined) partitions.set(host.hostId, partition);
    }
    const stale = [...partitions.values()].filter(
      (pk) => at - (known.get(pk)?.readAt ?? Number.NEGATIVE_INFINITY) >= FRESH_MS,
    );
    if (stale.length > 0) {
      if (known.size + stale.length > MAX_REMEMBERED) known.clear();
      for (const pk of stale) known.set(pk, { readAt: at, report: undefined });
      for (const { pk, ...report } of await readReports(table, stale)) known.set(pk, { readAt: at, report });
    }
    return hosts.map((host) => withReport(host, known.get(partitions.get(host.hostId) ?? '')?.report));
  };
}

async function readReports(
  table: Table,
  partitions: readonly string[],
): Promise<(PlanningReport & { readonly pk: string })[]> {
  const expression = new Expression();
  const how = {
    ConsistentRead: false,
    ProjectionExpression: ['pk', 'seenAt', 'pressure', 'usage', 'cannot']
      .map((name) => expression.path(name))
      .join(','),
    ...expression.attributes,
  };
  const parts = Array.from({ length: READ_AT_ONCE }, (_, part) =>
    partitions.filter((_, at) => at % READ_AT_ONCE === part),
  );
  const items = await Promise.all(parts.map((part) => getItems(table, part.map(reportKey), how)));
  return items.flat() as unknown as (PlanningReport & { readonly pk: string })[];
}

export const withReport = (host: Host, report: PlanningReport | undefined): Host =>
  report === undefined
    ? host
    : {
        ...host,
        agentSeenAt: report.seenAt,
        pressure: report.pressure,
        ...(report.cannot !== undefined && { cannot: report.cannot }),
        ...(report.usage !== undefined && { usage: report.usage }),
      };

/** The instance's ARN, of which an ECS ARN tells all but the id. */
function instanceArn({ containerInstanceArn, hostId }: Host): string | undefined {
  const [, partition, region, account] =
    /^arn:([^:]+):ecs:([^:]+):([^:]+):container-instance\//.exec(containerInstanceArn ?? '') ?? [];
  return partition === undefined ? undefined : `arn:${partition}:ec2:${region}:${account}:instance/${hostId}`;
}
