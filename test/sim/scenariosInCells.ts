import type { SimPlan } from '../../local/sim/plan.ts';
import { plan, request, type Scenario } from './scenario.ts';

/** Passes plan on what their process remembers of hosts, in processes that take turns. */
const inCells =
  (cells: number, processes = 2) =>
  (...of: Parameters<typeof plan>): SimPlan => ({ ...plan(...of), cells, processes });

const runs = (seconds: number) => ({ runMs: seconds * 1_000, exitCode: 0, failures: 0 });

/** A pass that placed tasks on hosts as its process remembers them. */
const placedOnCopy = /schedule says: Pass .*"placed":[1-9].*"whole":false/;
/** A claim on a host that is not as the process remembers it. */
const misled = /schedule says: Pass .*"stale":[1-9].*"whole":false/;
/** At so many seconds. */
const misledAt = (seconds: string): RegExp =>
  new RegExp(`^ *${seconds} +schedule says: Pass .*"stale":[1-9].*"whole":false`);

/** Two hosts of which each takes one of these; they are empty from 36 s on. */
const twoHosts = request({ count: 2, cpu: 1536 });
const small = { maxHostVcpus: 2 };
/** Then the first is all but full, and the second half full. */
const filled = [1920, 1024, 128].map((cpu, index) =>
  request({ key: `filler-${index}`, atMs: 45_000 + 1_000 * index, cpu, behaviour: runs(40) }),
);

/** What a process remembers of hosts is out of date, or gone with it. */
export const scenariosInCells: readonly Scenario[] = [
  {
    name: 'arrivals that are placed on a copy of the hosts',
    plan: inCells(4)([
      request(),
      ...['a', 'b', 'c', 'd'].map((key, index) => request({ key, atMs: 45_000 + 2_000 * index })),
    ]),
    ends: ['SUCCEEDED'],
    happens: [placedOnCopy],
  },
  {
    name: 'a copy in which a host has room that another process has given away',
    plan: inCells(2)(
      [
        twoHosts,
        request({ key: 'a', atMs: 45_000, cpu: 1536, behaviour: runs(40) }),
        request({ key: 'b', atMs: 46_000, cpu: 1536, behaviour: runs(40) }),
        request({ key: 'c', atMs: 47_000, cpu: 1024 }),
      ],
      [],
      small,
    ),
    ends: ['SUCCEEDED'],
    happens: [misled],
  },
  {
    name: 'a copy without the room that another process knows of',
    plan: inCells(3)(
      [
        twoHosts,
        request({ key: 'a', atMs: 45_000, cpu: 1984, behaviour: runs(8) }),
        request({ key: 'b', atMs: 46_000, cpu: 1984, behaviour: runs(40) }),
        request({ key: 'c', atMs: 54_000, cpu: 1024 }),
      ],
      [],
      small,
    ),
    ends: ['SUCCEEDED'],
    happens: [/^ *54.000 +schedule says: Pass .*"placed":1.*"whole":true/],
  },
  {
    name: 'a host that dies while a process remembers it',
    plan: inCells(2)(
      [
        twoHosts,
        request({ key: 'a', atMs: 45_000, cpu: 1536, behaviour: runs(40) }),
        request({ key: 'b', atMs: 47_000, cpu: 1024 }),
        request({ key: 'c', atMs: 48_000, cpu: 1024 }),
      ],
      [{ kind: 'kill', atMs: 46_000, pick: 1 }],
      small,
    ),
    ends: ['SUCCEEDED'],
    happens: [misled],
  },
  {
    name: 'a host that is drained while a process remembers it',
    plan: inCells(2)(
      [twoHosts, ...filled, request({ key: 'd', atMs: 49_000 }), request({ key: 'e', atMs: 50_000 })],
      [{ kind: 'drain', atMs: 48_000, pick: 1 }],
      { ...small, maxHosts: 3 },
    ),
    ends: ['SUCCEEDED'],
    happens: [misledAt('49.000')],
  },
  {
    name: 'a host that is cut off and registered anew under its tasks while a process remembers it',
    plan: inCells(4, 3)(
      [twoHosts, ...filled, request({ key: 'd', atMs: 50_000 }), request({ key: 'e', atMs: 58_500 })],
      [{ kind: 'forget', atMs: 48_000, pick: 1 }],
      { ...small, maxHosts: 3 },
    ),
    ends: ['SUCCEEDED'],
    happens: [misledAt('50.000'), /TERMINATING \(its container agent lost its data/],
  },
  {
    name: 'a host that is given back while a process remembers it',
    plan: inCells(2, 5)(
      [
        twoHosts,
        request({ key: 'a', atMs: 45_000, cpu: 1536, behaviour: runs(80) }),
        ...['b', 'c', 'd', 'e', 'f'].map((key, index) =>
          request({ key, atMs: 86_000 + 1_000 * index, cpu: 64, memory: 64, behaviour: runs(20) }),
        ),
        request({ key: 'late', atMs: 95_400, cpu: 1024 }),
      ],
      [],
      small,
    ),
    ends: ['SUCCEEDED'],
    happens: [misledAt('95.400')],
  },
  {
    name: 'a purchase that comes upon an open order',
    plan: inCells(3)(
      [
        request({ count: 2, cpu: 1536 }),
        request({ key: 'two', atMs: 600, count: 2, cpu: 2048, memory: 1024 }),
        request({ key: 'three', atMs: 1_100, cpu: 1024 }),
      ],
      [],
      { ...small, maxHosts: 4 },
    ),
    ends: ['SUCCEEDED'],
  },
  {
    name: 'a preemption among processes that remember hosts',
    plan: inCells(2)(
      [
        request({ cpu: 2048, memory: 1024, interruptible: true, behaviour: runs(30) }),
        request({ key: 'urgent', atMs: 45_000, cpu: 2048, memory: 1024, priority: 10 }),
        request({ key: 'third', atMs: 45_500, count: 2, cpu: 1024, memory: 512 }),
      ],
      [],
      { ...small, maxHosts: 1 },
    ),
    ends: ['SUCCEEDED'],
    happens: [/hold#/],
  },
  {
    name: 'a concurrency key among processes that remember hosts',
    plan: inCells(4)([
      request({ behaviour: runs(20) }),
      ...['a', 'b', 'c'].map((key, index) =>
        request({ key, atMs: 40_000 + 1_000 * index, concurrency: { key: 'db', max: 1 } }),
      ),
    ]),
    ends: ['SUCCEEDED'],
    happens: [/key "db" has 1 of 1 places taken/, placedOnCopy],
  },
  {
    name: 'retries that are placed on a copy of the hosts',
    plan: inCells(2)([
      request({ count: 3, behaviour: { runMs: 2_000, exitCode: 0, failures: 1 } }),
      request({ key: 'a', atMs: 36_000 }),
    ]),
    ends: ['SUCCEEDED'],
    happens: [placedOnCopy],
  },
];
