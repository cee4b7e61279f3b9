import { DEREGISTERED, REGISTERED_ANEW } from '../../../layers/control/fenceHost.ts';
import { DISCONNECTED } from '../../../layers/control/hostReasons.ts';
import type { Host } from '../../../layers/domain/model/host.ts';
import type { Store } from '../../../layers/ports/store.ts';
import type { PortDecorators } from '../simOptions.ts';
import { bound, type Mutation, onStore } from './mutation.ts';

/** Everything on the host is started elsewhere. */
async function takeForEnded(store: Store, { cluster, hostId, claims }: Host, nowMs: number): Promise<void> {
  for (const claim of Object.values(claims)) {
    const reason = { code: 'BACKOFF', detail: 'it is taken for ended', cause: 'HOST_LOST' } as const;
    await store.requeueTask(claim, { cause: 'HOST_LOST', counted: false, reason });
    await store.releaseClaims(cluster, hostId, [claim], nowMs);
  }
}

/** A host that was to be given up for this is kept, as if nothing ran there any more. */
const trusting = (why: string): PortDecorators =>
  onStore((store, { now }) => ({
    setHostState: async (cluster, hostId, change) => {
      const current = await store.getHost(cluster, hostId);
      if (change.reason !== why || current === undefined) return store.setHostState(cluster, hostId, change);
      await takeForEnded(store, current, now());
      return { outcome: 'refused', current };
    },
  }));

/** Errors in how hosts and launches are taken for what they are, bought and given back. */
export const launchesMutations: readonly Mutation[] = [
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
        if (change.reason === DISCONNECTED && result.outcome === 'applied')
          await takeForEnded(store, result.current, now());
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
      listHosts: async (cluster, hostIds) =>
        (await store.listHosts(cluster, hostIds)).map((host) => ({
          ...host,
          claims: Object.fromEntries(
            Object.entries(host.claims).map(([id, claim]) => [id, { ...claim, claimedAt: 0 }]),
          ),
        })),
    })),
  },
  {
    name: 'order-without-guard',
    what: 'An order is opened whatever was bought since its plan.',
    // An order that is replaced while EC2 carries it out leaves hosts without a record.
    caughtBy: ['poolBound', 'costAccounted'],
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
    caughtBy: ['poolBound', 'noOrphans', 'costAccounted'],
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
    name: 'registration-left',
    what: 'The registration that an agent has left behind stays, and its tasks with it.',
    caughtBy: ['ecsAgrees'],
    decorators: { containers: (containers) => ({ ...containers, deregister: async () => {} }) },
  },
  {
    name: 'trusts-registered-anew',
    what: 'A host that registers anew is taken for empty: what ran under its registration before counts as ended.',
    caughtBy: ['oneProcess', 'endedIsDead'],
    decorators: trusting(REGISTERED_ANEW),
  },
  {
    name: 'deregistered-is-dead',
    what: 'What ECS calls STOPPED because its host was deregistered counts as ended.',
    caughtBy: ['oneProcess', 'endedIsDead'],
    decorators: trusting(DEREGISTERED),
  },
  {
    name: 'price-of-on-demand',
    what: 'A Spot host is put on record at another price than the one it is sold at.',
    caughtBy: ['costAccounted'],
    decorators: onStore((store) => ({
      addHost: (host) =>
        store.addHost(host.lifecycle === 'spot' ? { ...host, usdPerHour: host.usdPerHour * 3 } : host),
    })),
  },
  {
    name: 'launch-is-record',
    what: 'A host counts as launched when it is put on record, however long ago EC2 launched it.',
    caughtBy: ['costAccounted'],
    decorators: onStore((store, { now }) => ({
      addHost: (host) => store.addHost({ ...host, launchedAt: now() }),
    })),
  },
  {
    name: 'host-off-the-record',
    what: 'One bought host in sixteen is not put on record.',
    // Until EC2 is asked what it runs, such a host is also one more than the pool may have.
    caughtBy: ['costAccounted', 'poolBound'],
    decorators: onStore((store) => ({
      addHost: async (host) =>
        host.hostId.endsWith('0') ? { outcome: 'applied', current: host } : store.addHost(host),
    })),
  },
  {
    name: 'end-untold',
    what: 'When a host ended is not noted.',
    caughtBy: ['costAccounted'],
    decorators: onStore((store) => ({
      setHostState: (cluster, hostId, { atMs, ...change }) =>
        store.setHostState(cluster, hostId, {
          ...change,
          ...(atMs !== undefined && change.to !== 'TERMINATING' && { atMs }),
        }),
    })),
  },
  {
    name: 'retire-without-guard',
    what: 'A host is given back although a claim has come meanwhile.',
    caughtBy: ['noEviction'],
    seed: 374,
    decorators: onStore((store) => ({
      setHostState: (cluster, hostId, { ifEmpty: _ifEmpty, epoch: _epoch, ...change }) =>
        store.setHostState(cluster, hostId, change),
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
];
