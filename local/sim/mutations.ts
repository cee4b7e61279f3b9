import { DISCONNECTED } from '../../layers/control/observeHost.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { Store } from '../../layers/ports/store.ts';
import type { Invariant } from './checker.ts';
import { inner, putTask } from './memoryTables.ts';
import type { PortDecorators, StoreParts } from './simulation.ts';

/** One planted error in the protocol, and which sentences it may be caught by. */
export interface Mutation {
  readonly name: string;
  readonly what: string;
  readonly decorators: PortDecorators;
  readonly caughtBy: readonly Invariant[];
  /** A seed that is known to find it, to look at first. */
  readonly seed?: number;
}

const onStore = (change: (store: Store, parts: StoreParts) => Partial<Store>): PortDecorators => ({
  store: (store, parts) => ({ ...store, ...change(store, parts) }),
});

/** Lets a call see a host otherwise than it is, and undoes that afterwards. The memory store's calls run in one go. */
async function seenAs<T>(
  { tables }: StoreParts,
  cluster: string,
  hostId: string,
  change: (host: Host) => Host,
  undo: (host: Host) => Host,
  call: () => Promise<T>,
): Promise<T> {
  const hosts = inner(tables.hosts, cluster);
  const before = hosts.get(hostId);
  if (before === undefined) return call();
  const { onHostWritten } = tables;
  tables.onHostWritten = undefined;
  const shown = change(before);
  hosts.set(hostId, shown);
  const result = call();
  tables.onHostWritten = onHostWritten;
  const after = hosts.get(hostId);
  if (after !== undefined) {
    const undone = undo(after);
    hosts.set(hostId, undone);
    if (after !== shown) onHostWritten?.(before, undone);
  }
  return result;
}

const moreOf = (host: Host, amount: number): Host => ({
  ...host,
  left: Object.fromEntries(Object.entries(host.left).map(([dimension, left]) => [dimension, left + amount])),
});

export const mutations: readonly Mutation[] = [
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
      releaseClaim: async (cluster, hostId, ref, nowMs, failed) => {
        const result = await store.releaseClaim(cluster, hostId, ref, nowMs, failed);
        const host = inner(tables.hosts, cluster).get(hostId);
        const demand = tables.tasks.get(ref.taskId)?.spec.demand;
        if (result.outcome === 'absent' && host !== undefined && demand !== undefined) {
          const left = Object.fromEntries(
            Object.entries(host.left).map(([key, amount]) => [key, amount + (demand[key] ?? 0)]),
          );
          const after = { ...host, left };
          inner(tables.hosts, cluster).set(hostId, after);
          tables.onHostWritten?.(host, after);
        }
        return result;
      },
    })),
  },
  {
    name: 'never-release',
    what: 'A claim is never given back.',
    caughtBy: ['noClaims', 'allEnd', 'idleGone', 'claimOnce'],
    decorators: onStore(() => ({ releaseClaim: async () => ({ outcome: 'released' }) })),
  },
  {
    name: 'new-token-on-retry',
    what: 'A launch that is repeated carries another client token.',
    caughtBy: ['oneLaunch', 'oneProcess'],
    decorators: {
      containers: (containers) => {
        let calls = 0;
        return {
          ...containers,
          launch: (request) =>
            containers.launch({ ...request, clientToken: `${request.clientToken}.${++calls}.${calls}` }),
        };
      },
    },
  },
  {
    name: 'unknown-is-refused',
    what: 'A launch without an answer counts as one that did not happen, and the next attempt starts.',
    caughtBy: ['oneProcess', 'doneIsDone'],
    decorators: {
      containers: (containers) => ({
        ...containers,
        launch: async (request) => {
          const outcome = await containers.launch(request);
          return outcome.outcome === 'unknown'
            ? { outcome: 'refused', code: 'UNKNOWN', detail: outcome.detail }
            : outcome;
        },
      }),
    },
  },
  {
    name: 'silent-is-dead',
    what: 'The tasks of a host whose agent is cut off are started elsewhere at once.',
    caughtBy: ['oneProcess', 'doneIsDone', 'rightHost', 'noGhost'],
    decorators: onStore((store, { now }) => ({
      setHostState: async (cluster, hostId, change) => {
        const result = await store.setHostState(cluster, hostId, change);
        if (change.reason !== DISCONNECTED || result.outcome === 'refused') return result;
        for (const claim of Object.values(result.current.claims)) {
          const reason = { code: 'BACKOFF', detail: 'its host is silent', cause: 'HOST_LOST' } as const;
          await store.requeueTask(claim, { cause: 'HOST_LOST', counted: false, reason });
          await store.releaseClaim(cluster, hostId, claim, now());
        }
        return result;
      },
    })),
  },
  {
    name: 'absence-is-death',
    what: 'A task that ECS does not show at once counts as gone.',
    // A start at the beginning of time is also a timeout that is over: an attempt used up without a process.
    caughtBy: ['oneProcess', 'doneIsDone', 'fairAttempts'],
    decorators: onStore((store) => ({
      getTasks: async (ids) =>
        (await store.getTasks(ids)).map((task) => ({
          ...task,
          ...(task.startedAt !== undefined && { startedAt: 0 }),
        })),
      listHosts: async (cluster) =>
        (await store.listHosts(cluster)).map((host) => ({
          ...host,
          claims: Object.fromEntries(
            Object.entries(host.claims).map(([id, claim]) => [id, { ...claim, claimedAt: 0 }]),
          ),
        })),
    })),
  },
  {
    name: 'lost-wake-up',
    what: 'Nobody is ever woken.',
    caughtBy: ['allEnd'],
    decorators: { bus: (bus) => ({ ...bus, wake: async () => {} }) },
  },
  {
    name: 'lost-provision',
    what: 'Nobody is ever asked for capacity.',
    caughtBy: ['allEnd'],
    decorators: { bus: (bus) => ({ ...bus, provision: async () => {} }) },
  },
  {
    name: 'accept-overwrites',
    what: 'A repeated request begins its tasks anew.',
    caughtBy: ['attemptsGrow', 'legalMoves', 'oneLaunch', 'noGhost', 'rightHost', 'claimOnce'],
    decorators: onStore((store, { tables }) => ({
      acceptTask: async (task) => {
        putTask(tables, task);
        return store.acceptTask(task);
      },
    })),
  },
  {
    name: 'accept-by-delivery',
    what: 'A request’s tasks are named after the delivery and not after its key.',
    caughtBy: ['accepted'],
    decorators: onStore((store) => {
      let deliveries = 0;
      return {
        acceptTask: (task) =>
          store.acceptTask({ ...task, taskId: `${task.taskId.slice(0, 22)}${++deliveries}` }),
      };
    }),
  },
  {
    name: 'end-overwrites',
    what: 'The end of an attempt is recorded whatever became of the task meanwhile.',
    caughtBy: ['attemptsGrow', 'legalMoves', 'truthful', 'rightEnd', 'oneProcess', 'cancelIsAsked'],
    decorators: onStore((_store, { tables }) => ({
      finishTask: async (ref, { ifState: _ifState, ...end }) => {
        const task = tables.tasks.get(ref.taskId);
        if (task === undefined) return { outcome: 'refused', current: undefined };
        const current = { ...task, ...end };
        putTask(tables, current);
        return { outcome: 'applied', current };
      },
    })),
  },
  {
    name: 'cancel-without-stop',
    what: 'A placed or running task is called CANCELLED before its attempt is dead.',
    caughtBy: ['noGhost', 'endedIsDead'],
    decorators: onStore((store, { tables, now }) => ({
      requestStop: async (taskId, request) => {
        const task = tables.tasks.get(taskId);
        if (request.code !== 'CANCELLED' || task === undefined) return store.requestStop(taskId, request);
        const reason = { code: 'STOPPED', cause: 'CANCELLED', detail: request.detail } as const;
        return store.finishTask(task, { state: 'CANCELLED', reason, endedAt: now() });
      },
    })),
  },
  {
    name: 'no-timeout',
    what: 'A timeout is never enforced.',
    caughtBy: ['allEnd'],
    decorators: onStore((store, { tables }) => ({
      requestStop: async (taskId, request) =>
        request.code === 'TIMEOUT'
          ? { outcome: 'refused', current: tables.tasks.get(taskId) }
          : store.requestStop(taskId, request),
    })),
  },
  {
    name: 'every-end-is-good',
    what: 'Whatever ended is called SUCCEEDED.',
    caughtBy: ['truthful'],
    decorators: onStore((store) => ({
      finishTask: (ref, end) =>
        store.finishTask(ref, end.state === 'FAILED' ? { ...end, state: 'SUCCEEDED' } : end),
    })),
  },
  {
    name: 'everything-counts',
    what: 'A lost host uses up the user’s attempts.',
    caughtBy: ['fairAttempts', 'rightEnd'],
    decorators: onStore((store) => ({
      requeueTask: (ref, next) => store.requeueTask(ref, { ...next, counted: true }),
    })),
  },
  {
    name: 'order-without-guard',
    what: 'An order is opened whatever was bought since its plan.',
    caughtBy: ['poolBound'],
    decorators: onStore((store, { tables }) => ({
      openOrder: (order) => {
        tables.orders.delete(`${order.cluster}/${order.pool}`);
        return store.openOrder(order, undefined);
      },
    })),
  },
  {
    name: 'order-without-token',
    what: 'A purchase that is repeated carries another client token.',
    caughtBy: ['poolBound', 'noOrphans'],
    seed: 161,
    decorators: {
      machines: (machines) => {
        let calls = 0;
        return bound(machines, {
          buy: (order, pool) => machines.buy({ ...order, orderId: `${order.orderId}.${++calls}` }, pool),
        });
      },
    },
  },
  {
    name: 'retire-without-guard',
    what: 'A host is given back although a claim has come meanwhile.',
    caughtBy: ['noEviction', 'fairAttempts'],
    seed: 29,
    decorators: onStore((store) => ({
      setHostState: (cluster, hostId, { ifEmpty: _ifEmpty, epoch: _epoch, ...change }) =>
        store.setHostState(cluster, hostId, change),
    })),
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
    name: 'swallowed-failures',
    what: 'Messages whose work failed are not delivered again.',
    caughtBy: ['accepted'],
    decorators: { answer: () => ({ batchItemFailures: [] }) },
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
  {
    name: 'move-whatever-runs',
    what: 'A host that is emptied has all its tasks stopped, whether or not they may be interrupted.',
    caughtBy: ['stayPut'],
    decorators: onStore((store) => ({
      getTasks: async (ids) =>
        (await store.getTasks(ids)).map((task) => ({ ...task, spec: { ...task.spec, interruptible: true } })),
    })),
  },
  {
    name: 'blocked-is-pending',
    what: 'A task that waits for others goes into the queue at once.',
    caughtBy: ['inOrder'],
    decorators: onStore((store) => ({
      acceptTask: (task) => store.acceptTask(task.state === 'BLOCKED' ? { ...task, state: 'PENDING' } : task),
    })),
  },
  {
    name: 'dependents-forgotten',
    what: 'Nobody writes down who waits for a task, and nobody looks after those that wait.',
    caughtBy: ['allEnd'],
    decorators: onStore(() => ({
      addDependent: async () => {},
      listBlocked: async () => ({ tasks: [], more: false }),
    })),
  },
  {
    name: 'members-succeed',
    what: 'Every end of an array’s member is counted as a success.',
    caughtBy: ['arrayCounted'],
    decorators: onStore((store) => ({
      countArrayMember: (member) => store.countArrayMember({ ...member, end: 'succeeded' }),
    })),
  },
];

/** A class instance's methods live on its prototype, which a spread leaves behind. */
const bound = <Port extends object>(port: Port, change: Partial<Port>): Port =>
  Object.assign(Object.create(port) as Port, change);
