import { parseArgs } from 'node:util';
import { requestEvent } from '../../support/requestEvent.ts';
import { atMost, type Figure, reported } from '../figure.ts';
import { quantile } from '../measure.ts';
import { shown } from '../table.ts';
import { CLUSTER, createDrive, TASK } from './drive.ts';

/**
 * `npm run bench:scale`: fills a cluster with tasks through the real handlers, wave by wave, and prints what a pass costs
 * on the way and at the end. `--hosts N` (5,000), twenty tasks each; `--json` for a program.
 */
const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npm run bench:scale -- [--hosts N] [--json]');
  process.exit(0);
}
const HOSTS = Number(values.hosts);
if (!Number.isInteger(HOSTS) || HOSTS < 200)
  throw new Error(`--hosts has to be 200 or more, not ${values.hosts}`);
const TASKS = HOSTS * 20;
const WAVE = 2_000;
const PER_REQUEST = 100;
/** As the template sets them. */
const LAMBDA_SECONDS = 30;
const RECONCILE_SECONDS = 300;
const MEMORY_MB = 1_769;
const MAX_ROUNDS = 20;

const asked = (idempotencyKey: string, count: number): string =>
  requestEvent({
    cluster: CLUSTER,
    taskDefinition: 'web',
    idempotencyKey,
    count,
    containers: [{ name: 'app', ...TASK }],
  });

const drive = await createDrive(HOSTS);
const passes: { readonly running: number; readonly ms: number }[] = [];
let slowestMs = 0;
const timed = async (work: Promise<number>): Promise<number> => {
  const ms = await work;
  slowestMs = Math.max(slowestMs, ms);
  return ms;
};
for (let running = 0; running < TASKS; running += WAVE) {
  const requests = Array.from({ length: WAVE / PER_REQUEST }, (_, n) =>
    asked(`r${running}-${n}`, PER_REQUEST),
  );
  await drive.accept(requests);
  await timed(drive.pass());
  for (let round = 0; drive.live.size < running + WAVE; round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`only ${drive.live.size} of ${running + WAVE} tasks run`);
    await timed(drive.purchase());
    await drive.register();
    const before = drive.live.size;
    const ms = await timed(drive.pass());
    // The full wave, placed at once, is what is compared from first to last.
    if (drive.live.size - before === WAVE) passes.push({ running, ms });
    await drive.start();
    drive.advance(1_000);
  }
  if (!values.json && (running / WAVE) % 5 === 4)
    process.stderr.write(
      `${shown(running + WAVE)} tasks run, last pass ${shown(passes.at(-1)?.ms ?? 0)} ms\n`,
    );
}
const unitsPerTask = drive.writeUnits() / TASKS;
const arrivals: number[] = [];
for (let n = 0; n < 21; n += 1) {
  const [first] = drive.live.values();
  if (first) await drive.end([first]);
  await drive.accept([asked(`late-${n}`, 1)]);
  arrivals.push(await timed(drive.pass()));
  await drive.start();
}
arrivals.sort((a, b) => a - b);
const reconcileMs = await drive.reconcile();
const fifth = Math.max(1, Math.floor(passes.length / 5));
const meanOf = (some: readonly { readonly ms: number }[]): number =>
  some.reduce((sum, { ms }) => sum + ms, 0) / some.length;
const [firstMs, lastMs] = [meanOf(passes.slice(0, fifth)), meanOf(passes.slice(-fifth))];
const cluster = `${shown(HOSTS)} hosts, ${shown(TASKS)} tasks`;
const figures: Figure[] = [
  reported(`pass that places ${shown(WAVE)} tasks, first fifth`, firstMs, 'ms'),
  reported(`the same with ${cluster}, last fifth`, lastMs, 'ms'),
  reported(`pass for one arrival, ${cluster}, median of 21`, quantile(arrivals, 0.5), 'ms'),
  atMost('slowest pass or purchase', slowestMs / 1000, 's', LAMBDA_SECONDS),
  atMost(`reconcile, ${cluster}`, reconcileMs / 1000, 's', RECONCILE_SECONDS),
  reported('write units a task until it runs, hosts included', unitsPerTask, 'WCU'),
  atMost('peak memory, the table included', process.resourceUsage().maxRSS / 1_000, 'MB', MEMORY_MB),
];
const pending = await drive.store.listPending(CLUSTER, 1);
if (pending.tasks.length > 0) throw new Error('tasks are left in the queue');

if (values.json) {
  const entries = figures.map(({ name, value, unit, goal, pass }) => [name, { value, unit, goal, pass }]);
  console.log(JSON.stringify(Object.fromEntries(entries), undefined, 2));
} else {
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, unit, goal, pass } of figures)
    console.log(
      `${name.padEnd(width)}  ${shown(value)} ${unit}${goal && `  (${goal} ${unit}) ${pass ? 'ok' : 'MISSED'}`}`,
    );
}
if (figures.some(({ pass }) => !pass)) process.exitCode = 1;
