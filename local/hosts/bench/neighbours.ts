import { setTimeout as sleep } from 'node:timers/promises';
import { LAUNCH_ENVIRONMENT } from '../../../layers/domain/isolation/profile.ts';
import type { ContainerSpec, TaskLaunch } from '../backend.ts';
import { aContainer, aTask } from '../hostHarness.ts';
import type { BenchHost } from './benchHost.ts';
import { atMost, type Figure, median, percentile } from './figures.ts';
import { fixedRate } from './loadClient.ts';
import { NODE_IMAGE, SERVER_PORT } from './nodeImage.ts';

/** What a neighbour does to everybody on the host. */
const HOGS: Readonly<Record<string, string>> = {
  cpu: 'for i in 1 2 3 4 5 6 7 8; do (while true; do :; done) & done; wait',
  fork: 'for i in 1 2 3 4; do (while true; do true & true & true & wait; done) & done; wait',
  memory: 'while true; do head -c 400m /dev/zero | tail -n 1 >/dev/null; done',
  io: 'while true; do dd if=/dev/zero of=/tmp/f bs=1M count=256 conv=fsync 2>/dev/null; rm /tmp/f; done',
};
/** The hogs whose ratio is a goal: the others' depends on what the disk and the kernel version can do. */
const GOALS = new Set(['cpu', 'fork']);
const GOAL_RATIO = 1.3;
const REQUESTS_PER_SECOND = 200;
const SETTLE_MS = 1_000;
const MIB_SERVER = 256;

type Way = 'alone' | 'docker' | 'berth';

const environment = (taskId: string, profile: unknown): Record<string, string> => ({
  [LAUNCH_ENVIRONMENT.taskId]: taskId,
  [LAUNCH_ENVIRONMENT.isolation]: JSON.stringify(profile),
});

function server(way: Way): TaskLaunch {
  const spec: Partial<ContainerSpec> = {
    image: NODE_IMAGE,
    command: ['node', '/server.js'],
    cpuUnits: 1024,
    memoryMiB: MIB_SERVER,
    portMappings: [{ containerPort: SERVER_PORT, hostPort: 0, protocol: 'tcp' }],
    environment: way === 'berth' ? environment('server', { qos: 'guaranteed' }) : {},
  };
  return aTask([aContainer(spec)]);
}

const hog = (way: Way, command: string): TaskLaunch =>
  aTask([
    aContainer({
      image: NODE_IMAGE,
      command: ['sh', '-c', command],
      cpuUnits: 1024,
      memoryMiB: 512,
      environment: way === 'berth' ? environment('hog', { qos: 'best-effort', pids: { max: 256 } }) : {},
    }),
  ]);

/**
 * The client's CPU: not the one that is the server's alone. Left to the kernel, a client of real-time priority goes where
 * no hog is, which is there.
 */
const otherThan = (cpus: readonly number[]): number => (cpus.length === 1 && cpus[0] === 0 ? 1 : 0);

/** p50, p99 and p99.9 of one server under one hog, in one way; ms. */
async function measure(
  host: BenchHost,
  way: Way,
  command: string | undefined,
  seconds: number,
): Promise<number[]> {
  const serving = server(way);
  await host.run(serving);
  const hogs = command === undefined ? undefined : hog(way, command);
  if (hogs !== undefined) await host.run(hogs);
  await sleep(SETTLE_MS);
  const { address, cpus } = await host.whereabouts(serving);
  // Not by a port of this machine, where Docker's own proxy, which nobody guards, would be measured too.
  const url = `http://${address}:${SERVER_PORT}/`;
  const latencies = await fixedRate(url, REQUESTS_PER_SECOND, seconds, otherThan(cpus));
  for (const launch of [hogs, serving]) if (launch !== undefined) await host.stop(launch);
  return [0.5, 0.99, 0.999].map((share) => percentile(latencies, share));
}

/** Each hog: alone, with Docker's own limits, and with Berth, `repeats` times in turn; medians are told. */
export async function neighbours(
  plain: BenchHost,
  berth: BenchHost,
  repeats: number,
  seconds: number,
  progress: (line: string) => void,
): Promise<Record<string, Figure>> {
  const figures: Record<string, Figure> = {};
  for (const [name, command] of Object.entries(HOGS)) {
    const ratios = { docker: [] as number[], berth: [] as number[] };
    const rows: Record<Way, number[][]> = { alone: [], docker: [], berth: [] };
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const alone = await measure(plain, 'alone', undefined, seconds);
      const docker = await measure(plain, 'docker', command, seconds);
      const guarded = await measure(berth, 'berth', command, seconds);
      rows.alone.push(alone);
      rows.docker.push(docker);
      rows.berth.push(guarded);
      ratios.docker.push((docker[1] ?? Number.NaN) / (alone[1] ?? Number.NaN));
      ratios.berth.push((guarded[1] ?? Number.NaN) / (alone[1] ?? Number.NaN));
      progress(
        `${name} hog ${repeat + 1}/${repeats}: p99 alone ${ms(alone)} docker ${ms(docker)} berth ${ms(guarded)} ms`,
      );
    }
    for (const [way, measured] of Object.entries(rows)) {
      for (const [index, share] of ['p50', 'p99', 'p99.9'].entries()) {
        const value = median(measured.map((each) => each[index] ?? Number.NaN));
        figures[`${name}.${way}.${share}`] = { value, unit: 'ms' };
      }
    }
    const ratio = median(ratios.berth);
    figures[`${name}.docker.ratio`] = { value: median(ratios.docker), unit: 'x' };
    figures[`${name}.berth.ratio`] = GOALS.has(name)
      ? atMost(ratio, 'x', GOAL_RATIO)
      : { value: ratio, unit: 'x' };
  }
  return figures;
}

const ms = (row: readonly number[]): string => (row[1] ?? Number.NaN).toFixed(2);
