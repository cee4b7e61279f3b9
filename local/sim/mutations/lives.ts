import { putTask } from '../memoryTables.ts';
import { type Mutation, onStore } from './mutation.ts';

/** Errors in how a task is accepted, woken, stopped and ended. */
export const livesMutations: readonly Mutation[] = [
  {
    name: 'lost-wake-up',
    what: 'Nobody is ever woken.',
    caughtBy: ['allEnd'],
    decorators: { bus: (bus) => ({ ...bus, wake: async () => {} }) },
  },
  {
    name: 'arrivals-unnoted',
    what: 'Tasks go on record beside the queue, and nobody notes that they have come.',
    caughtBy: ['allEnd'],
    decorators: onStore(() => ({ noteArrivals: async () => {} })),
  },
  {
    name: 'arrivals-ignored',
    what: 'Nobody looks after what arrived and whose wake was lost.',
    caughtBy: ['allEnd'],
    decorators: onStore(() => ({ listArrivals: async () => ({ arrivals: [], more: false }) })),
  },
  {
    name: 'arrivals-seen-unseen',
    what: 'Arrivals count as looked after when they have been listed, whatever became of it.',
    caughtBy: ['allEnd'],
    decorators: onStore((store) => ({
      listArrivals: async (cluster, time, limit) => {
        const listed = await store.listArrivals(cluster, time, limit);
        const last = listed.arrivals.at(-1);
        if (last !== undefined) await store.recordArrivalsSeen(cluster, last.at);
        return listed;
      },
    })),
  },
  {
    name: 'never-queued',
    what: 'What arrived and has no place is told why, and not queued.',
    caughtBy: ['allEnd'],
    decorators: onStore((store, { tables }) => ({
      recordWait: async (ref, reason) => {
        const arriving = tables.tasks.get(ref.taskId)?.arriving;
        const recorded = await store.recordWait(ref, reason);
        const after = tables.tasks.get(ref.taskId);
        if (arriving && after !== undefined) putTask(tables, { ...after, arriving });
        return recorded;
      },
      queueTask: async (taskId) => ({ outcome: 'refused', current: tables.tasks.get(taskId) }),
    })),
  },
  {
    name: 'waiting-refused',
    what: 'A task that has once been found to wait gets no claim.',
    caughtBy: ['roomUsed'],
    decorators: onStore((store, { tables }) => ({
      claim: async (request) =>
        request.tasks.some(({ taskId }) => tables.tasks.get(taskId)?.reason.code === 'WAITING')
          ? { outcome: 'host-changed', host: await store.getHost(request.cluster, request.hostId) }
          : store.claim(request),
    })),
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
    name: 'swallowed-failures',
    what: 'Messages whose work failed are not delivered again.',
    caughtBy: ['accepted'],
    decorators: { answer: () => ({ batchItemFailures: [] }) },
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
