import type { Host } from '../../../layers/domain/model/host.ts';
import { inner, type MemoryTables } from '../memoryTables.ts';
import { type Mutation, onStore, seenAs } from './mutation.ts';

const moreOf = (host: Host, amount: number): Host => ({
  ...host,
  left: Object.fromEntries(Object.entries(host.left).map(([dimension, left]) => [dimension, left + amount])),
});

/** Adds what a task asks to what a host has left, whoever claims it. */
function giveMore(tables: MemoryTables, cluster: string, hostId: string, taskId: string): void {
  const host = inner(tables.hosts, cluster).get(hostId);
  const demand = tables.tasks.get(taskId)?.spec.demand;
  if (host === undefined || demand === undefined) return;
  const left = Object.fromEntries(
    Object.entries(host.left).map(([key, amount]) => [key, amount + (demand[key] ?? 0)]),
  );
  const after = { ...host, left };
  inner(tables.hosts, cluster).set(hostId, after);
  tables.onHostWritten?.(host, after);
}

/** Errors in how room is claimed and given back. */
export const claimsMutations: readonly Mutation[] = [
  {
    name: 'claim-without-capacity',
    what: 'A claim does not look at what the host has left.',
    caughtBy: ['overcommit'],
    decorators: onStore((store, parts) => ({
      claim: (request) =>
        seenAs(
          parts,
          request.cluster,
          request.hostId,
          (host) => moreOf(host, 1e6),
          (host) => moreOf(host, -1e6),
          () => store.claim(request),
        ),
    })),
  },
  {
    name: 'claim-without-state',
    what: 'A claim does not look at the host’s state or epoch.',
    caughtBy: ['readyOnly'],
    decorators: onStore((store, parts) => ({
      claim: (request) => {
        const host = inner(parts.tables.hosts, request.cluster).get(request.hostId);
        if (host === undefined) return store.claim(request);
        return seenAs(
          parts,
          request.cluster,
          request.hostId,
          (seen) => ({ ...seen, state: 'READY', epoch: request.epoch }),
          (seen) => ({ ...seen, state: host.state, epoch: host.epoch }),
          () => store.claim(request),
        );
      },
    })),
  },
  {
    name: 'claim-without-attempt',
    what: 'A claim takes a task at whatever attempt and state it is.',
    caughtBy: ['attemptsGrow', 'legalMoves', 'claimOnce', 'oneProcess', 'endedIsDead', 'oneLaunch'],
    decorators: onStore((store, { tables }) => ({
      claim: (request) => {
        for (const { taskId, attempt } of request.tasks) {
          const task = tables.tasks.get(taskId);
          if (task !== undefined) tables.tasks.set(taskId, { ...task, state: 'PENDING', attempt });
        }
        return store.claim(request);
      },
    })),
  },
  {
    name: 'release-twice',
    what: 'A repeated release gives the capacity back again.',
    caughtBy: ['ledger'],
    decorators: onStore((store, { tables }) => ({
      releaseClaims: async (cluster, hostId, ends, nowMs) => {
        const result = await store.releaseClaims(cluster, hostId, ends, nowMs);
        for (const { taskId } of ends) {
          if (!result.released.includes(taskId)) giveMore(tables, cluster, hostId, taskId);
        }
        return result;
      },
    })),
  },
  {
    name: 'batch-counts-twice',
    what: 'Of claims that are given back together the first counts twice.',
    caughtBy: ['ledger'],
    decorators: onStore((store, { tables }) => ({
      releaseClaims: async (cluster, hostId, ends, nowMs) => {
        const result = await store.releaseClaims(cluster, hostId, ends, nowMs);
        const [first, second] = result.released;
        if (first !== undefined && second !== undefined) giveMore(tables, cluster, hostId, first);
        return result;
      },
    })),
  },
  {
    name: 'never-release',
    what: 'A claim is never given back.',
    caughtBy: ['noClaims', 'allEnd', 'idleGone', 'claimOnce'],
    // At other seeds passes try once a second for hours to place what fits no more.
    seed: 2,
    decorators: onStore(() => ({ releaseClaims: async () => ({ released: [] }) })),
  },
  {
    name: 'wrong-host',
    what: 'A launch is not pinned to the host that was claimed.',
    caughtBy: ['rightHost'],
    decorators: {
      containers: (containers) => ({
        ...containers,
        launch: async (request) => {
          const hosts = await containers.listHosts(request.cluster).catch(() => []);
          const other = hosts.find(
            ({ hostId, agentConnected }) => agentConnected && hostId !== request.hostId,
          );
          return containers.launch({ ...request, hostId: other?.hostId ?? request.hostId });
        },
      }),
    },
  },
  {
    name: 'no-cap-guard',
    what: 'A claim does not look at how many tasks of its concurrency key have a place.',
    caughtBy: ['capHeld'],
    decorators: onStore((store) => ({
      claim: (request) =>
        store.claim({
          ...request,
          tasks: request.tasks.map(({ concurrency: _concurrency, ...task }) => task),
        }),
      listSeats: async () => new Map(),
    })),
  },
  {
    name: 'seat-freed-early',
    what: 'A seat is called empty while its attempt is still under way.',
    caughtBy: ['capHeld'],
    decorators: onStore((store) => ({
      listSeats: async (cluster, keys) => {
        const taken = await store.listSeats(cluster, keys);
        for (const [key, seats] of taken) await store.freeSeats(cluster, key, seats.slice(0, 1));
        return store.listSeats(cluster, keys);
      },
    })),
  },
];
