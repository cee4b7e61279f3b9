import { hasLostTrack } from '../../layers/domain/lifecycle/ecsHost.ts';
import { holdKey, inheritance, withHold } from '../../layers/domain/lifecycle/hold.ts';
import { withFailure } from '../../layers/domain/lifecycle/launchFailures.ts';
import type { Claim, Host } from '../../layers/domain/model/host.ts';
import { fitsInto, minus, plus, type Resources } from '../../layers/domain/model/resources.ts';
import type { ClaimEnd, ClaimOutcome, ClaimRequest, HostStore } from '../../layers/ports/store.ts';
import { withReport } from '../../layers/store/agentReports.ts';
import {
  checkBounds,
  claimOf,
  crowdedTasks,
  demandOf as netDemandOf,
  portsOf,
} from '../../layers/store/claim.ts';
import { isPlacedAt } from '../../layers/store/claimOutcome.ts';
import { isNews } from '../../layers/store/registerHost.ts';
import { seatGroups } from '../../layers/store/seats.ts';
import { fullGroups, sitDown } from './memorySeats.ts';
import { inner, type MemoryTables, putTask } from './memoryTables.ts';
import { sameValue, withoutArrival } from './memoryTasks.ts';

export function hostCommands(tables: MemoryTables): HostStore {
  const find = (cluster: string, hostId: string) => inner(tables.hosts, cluster).get(hostId);
  const put = (host: Host): Host => {
    const hosts = inner(tables.hosts, host.cluster);
    const before = hosts.get(host.hostId);
    hosts.set(host.hostId, host);
    tables.onHostWritten?.(before, host);
    return host;
  };
  return {
    async listHosts(cluster, hostIds) {
      const known = inner(tables.hosts, cluster);
      const hosts =
        hostIds === undefined
          ? [...known.values()]
          : [...new Set(hostIds)].flatMap((hostId) => known.get(hostId) ?? []);
      return hosts
        .sort((a, b) => (a.hostId < b.hostId ? -1 : 1))
        .map((host) => withReport(host, tables.reports.get(host.hostId)));
    },
    async getHost(cluster, hostId) {
      return find(cluster, hostId);
    },
    async addHost(host) {
      const known = find(host.cluster, host.hostId);
      const order = tables.orders.get(`${host.cluster}/${host.pool}`);
      const isOpen = order?.orderId === host.orderId && order?.state === 'OPEN';
      if (known !== undefined || (host.orderId !== undefined && !isOpen))
        return { outcome: 'refused', current: known };
      return { outcome: 'applied', current: put({ ...host, ports: [...host.ports].sort() }) };
    },
    async registerHost(cluster, hostId, seen) {
      const host = find(cluster, hostId);
      if (host === undefined || !isNews(host, seen) || hasLostTrack(host, seen))
        return { outcome: 'refused', current: host };
      const claims = Object.values(host.claims);
      const left = claims.reduce((rest, claim) => minus(rest, claim.demand), seen.capacity);
      const becomesReady = host.state === 'BOOTING' && {
        state: 'READY' as const,
        stateReason: 'registered in ECS',
        ...(claims.length === 0 && host.idleSince === undefined && { idleSince: seen.registeredAt }),
      };
      return { outcome: 'applied', current: put({ ...host, ...seen, left, ...becomesReady }) };
    },
    async setHostState(cluster, hostId, change) {
      const host = find(cluster, hostId);
      const held =
        host !== undefined &&
        change.from.includes(host.state) &&
        (change.epoch === undefined || change.epoch === host.epoch) &&
        (change.registeredAt === undefined || change.registeredAt === host.registeredAt) &&
        !(change.ifEmpty === true && Object.keys(host.claims).length > 0);
      if (!held) return { outcome: 'refused', current: host };
      const { stateSince: _stateSince, ...rest } = host;
      const epoch = host.epoch + (change.to === 'TERMINATING' ? 1 : 0);
      return {
        outcome: 'applied',
        current: put({
          ...rest,
          state: change.to,
          stateReason: change.reason,
          ...(change.atMs !== undefined && { stateSince: change.atMs }),
          epoch,
        }),
      };
    },
    async claim(request) {
      checkBounds(request);
      const host = find(request.cluster, request.hostId);
      const outcome = judge(tables, host, request);
      if (outcome !== undefined || host === undefined) return outcome ?? { outcome: 'host-changed', host };
      const { idleSince: _idleSince, ...claimed } = host;
      put({
        ...claimed,
        left: minus(host.left, demandOf(request)),
        ports: [...host.ports, ...portsOf(request)].sort(),
        claims: { ...withoutHolds(host.claims, request), ...newClaims(request) },
      });
      sitDown(tables, request.cluster, seatGroups(request.tasks));
      for (const task of request.tasks) place(tables, task, request);
      return { outcome: 'claimed' };
    },
    async holdPlace(request) {
      const host = find(request.cluster, request.hostId);
      const { heir } = request;
      if (host?.claims[holdKey(heir.taskId)]?.attempt === heir.attempt && host !== undefined) {
        return { outcome: 'applied', current: host };
      }
      const after = host && withHold(host, request);
      const task = tables.tasks.get(heir.taskId);
      if (after === undefined || task?.state !== 'PENDING' || task.attempt !== heir.attempt) {
        return { outcome: 'refused', current: host };
      }
      const { idleSince: _idleSince, ...busy } = after;
      return { outcome: 'applied', current: put(busy) };
    },
    async releaseClaims(cluster, hostId, ends, nowMs) {
      const released: string[] = [];
      let host = find(cluster, hostId);
      for (const end of ends) {
        const after = host && withoutClaim(host, end, nowMs);
        if (after === undefined) continue;
        host = after;
        released.push(end.taskId);
      }
      if (host !== undefined && released.length > 0) put(host);
      return { released };
    },
    async removeHost(cluster, hostId, { ifEmpty }) {
      const host = find(cluster, hostId);
      if (host === undefined || (ifEmpty && Object.keys(host.claims).length > 0)) {
        return { outcome: 'refused', current: host };
      }
      inner(tables.hosts, cluster).delete(hostId);
      tables.onHostWritten?.(host, undefined);
      return { outcome: 'applied', current: host };
    },
  };
}

/** `undefined` when the attempt holds no claim here. */
function withoutClaim(
  host: Host,
  { taskId, attempt, failedToStart = false }: ClaimEnd,
  nowMs: number,
): Host | undefined {
  const claim = host.claims[taskId];
  if (claim?.attempt !== attempt) return undefined;
  const { [taskId]: _released, ...kept } = host.claims;
  const claims: Record<string, Claim> = kept;
  const legacy = inheritance(host, claim);
  const held = legacy && claims[legacy.key];
  if (legacy !== undefined && held !== undefined) {
    claims[legacy.key] = {
      ...held,
      demand: plus(held.demand, legacy.demand),
      hostPorts: [...held.hostPorts, ...legacy.ports],
    };
  }
  return {
    ...host,
    left: plus(host.left, positive(minus(claim.demand, legacy?.demand ?? {}))),
    ports: host.ports.filter((port) => !claim.hostPorts.includes(port) || legacy?.ports.includes(port)),
    claims,
    ...(Object.keys(claims).length === 0 && { idleSince: nowMs }),
    ...(failedToStart && { launchFailures: withFailure(host.launchFailures, nowMs) }),
  };
}

const positive = (demand: Resources): Resources =>
  Object.fromEntries(Object.entries(demand).filter(([, amount]) => amount > 0));

const demandOf = (request: ClaimRequest): Resources => positive(netDemandOf(request));

const withoutHolds = (claims: Host['claims'], { tasks }: ClaimRequest): Host['claims'] => {
  const inherited = new Set(tasks.flatMap(({ taskId, hold }) => (hold === undefined ? [] : holdKey(taskId))));
  return Object.fromEntries(Object.entries(claims).filter(([key]) => !inherited.has(key)));
};

const newClaims = (request: ClaimRequest): Record<string, Claim> =>
  Object.fromEntries(request.tasks.map((task) => [task.taskId, claimOf(request, task)]));

/** The claim's guards; `undefined` when all hold. The order of the answers is that of the store on DynamoDB. */
function judge(
  tables: MemoryTables,
  host: Host | undefined,
  request: ClaimRequest,
): ClaimOutcome | undefined {
  if (request.tasks.length === 0) return { outcome: 'claimed' };
  const crowded = crowdedTasks(request);
  if (crowded.length > 0) return { outcome: 'cap-reached', taskIds: crowded };
  const ports = portsOf(request);
  if (new Set(ports).size < ports.length) return { outcome: 'host-changed', host };
  const takes =
    host !== undefined &&
    host.state === 'READY' &&
    host.epoch === request.epoch &&
    fitsInto(demandOf(request), host.left) &&
    ports.every((port) => !host.ports.includes(port)) &&
    request.tasks.every(({ taskId }) => host.claims[taskId] === undefined) &&
    request.tasks.every(({ taskId, attempt, hold }) => {
      const held = host.claims[holdKey(taskId)];
      return hold === undefined || (held?.attempt === attempt && sameValue(held.demand, hold.demand));
    });
  const refused = request.tasks.filter(({ taskId, attempt }) => {
    const task = tables.tasks.get(taskId);
    return task?.state !== 'PENDING' || task.attempt !== attempt;
  });
  const ours = new Set(
    refused.filter(
      ({ taskId, attempt }) =>
        !takes &&
        host?.claims[taskId]?.attempt === attempt &&
        isPlacedAt(tables.tasks.get(taskId), attempt, request.hostId),
    ),
  );
  if (ours.size === request.tasks.length) return { outcome: 'claimed' };
  if (refused.length > 0) {
    const others = refused.filter((task) => !ours.has(task));
    const changed = others.length > 0 ? others : refused;
    return { outcome: 'tasks-changed', taskIds: changed.map(({ taskId }) => taskId) };
  }
  if (!takes) return { outcome: 'host-changed', host };
  const full = fullGroups(tables, request.cluster, seatGroups(request.tasks));
  if (full.length === 0) return undefined;
  return { outcome: 'cap-reached', taskIds: full.flatMap(({ taskIds }) => taskIds) };
}

function place(
  tables: MemoryTables,
  { taskId, cpuOvercommit }: ClaimRequest['tasks'][number],
  request: ClaimRequest,
): void {
  const task = tables.tasks.get(taskId);
  if (task === undefined) return;
  const { notBefore: _notBefore, ...queued } = withoutArrival(task);
  const { hostId, nowMs, reason } = request;
  putTask(tables, {
    ...queued,
    state: 'PLACED',
    hostId,
    placedAt: nowMs,
    reason,
    ...(cpuOvercommit !== undefined && { cpuOvercommit }),
  });
}
