import { fromCommandLine, parseOptions, UsageError, whole } from '../../../local/cli/commandLine.ts';
import { meterCapacity } from '../../support/consumedCapacity.ts';
import { startDynoxide } from '../../support/dynoxide.ts';
import { passReadUnits } from '../../support/passReadUnits.ts';
import { atMost, type Figure, reported } from '../figure.ts';
import { shown } from '../table.ts';
import { HOSTS_PER_CELL } from './drive.ts';
import { fill, WAVE } from './fill.ts';

const HELP = `Fills a cluster with tasks through the real handlers, wave by wave, and prints what a pass costs on the way and at the end,
beside what it costs in a cluster of a fifth of the size.

  npm run bench:scale -- [options]

  --hosts N   of the larger cluster, twenty tasks each (5000; a multiple of 5 and 1000 or more)
  --json      one JSON object on standard output
  --help      this text

Exit codes: 0 every goal is met, 1 one is not, 2 the options are wrong.`;

const { hosts: HOSTS, json } = fromCommandLine(HELP, (argv) => {
  const values = parseOptions(argv, {
    hosts: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  });
  const hosts = whole('hosts', values.hosts, { min: 1_000 });
  if (hosts % 5 !== 0) throw new UsageError(`--hosts must be a multiple of 5; it is ${hosts}.`);
  return { hosts, json: values.json };
});
const SMALL = HOSTS / 5;
/** As the template sets them. */
const LAMBDA_SECONDS = 30;
const RECONCILE_SECONDS = 300;
const MEMORY_MB = 1_769;
/** What one arrival may cost in the larger cluster, as a multiple of what it costs in the smaller. */
const MOST_GROWTH = 1.5;

const note = (text: string): void => {
  if (!json) process.stderr.write(text);
};
const small = await fill(SMALL, note);
const large = await fill(HOSTS, note);
const memoryMb = process.resourceUsage().maxRSS / 1_000;

note('read units, on a DynamoDB engine\n');
const database = await startDynoxide();
const meter = meterCapacity(database.client);
const unitsOf = (hosts: number) =>
  passReadUnits(database, meter, { hosts, cells: Math.ceil(hosts / HOSTS_PER_CELL) });
const [few, many] = [await unitsOf(SMALL), await unitsOf(HOSTS)];
await database.stop();

const of = (hosts: number): string => `${shown(hosts)} hosts`;
const figures: Figure[] = [
  reported(`pass that places ${shown(WAVE)} tasks, first fifth`, large.firstMs, 'ms'),
  reported(`the same with ${shown(HOSTS * 20)} tasks, last fifth`, large.lastMs, 'ms'),
  reported(`pass for one arrival, ${of(SMALL)} with room, median of 21`, small.arrivalMs, 'ms'),
  reported(`the same, ${of(HOSTS)}`, large.arrivalMs, 'ms'),
  atMost('the second as a multiple of the first', large.arrivalMs / small.arrivalMs, 'x', MOST_GROWTH),
  reported(`pass for one arrival, ${of(SMALL)}, full but for one place`, small.fullArrivalMs, 'ms'),
  reported(`the same, ${of(HOSTS)}`, large.fullArrivalMs, 'ms'),
  reported(`read units of an arrival, ${of(SMALL)}`, few.arrival, 'RCU'),
  reported(`the same, ${of(HOSTS)}`, many.arrival, 'RCU'),
  atMost('the second as a multiple of the first', many.arrival / few.arrival, 'x', HOSTS / SMALL),
  reported(`read units of a pass that reads all of ${of(SMALL)}`, few.whole, 'RCU'),
  reported(`the same, ${of(HOSTS)}`, many.whole, 'RCU'),
  atMost('slowest pass or purchase', large.slowestMs / 1000, 's', LAMBDA_SECONDS),
  atMost(
    `reconcile, ${of(HOSTS)}, ${shown(HOSTS * 20)} tasks`,
    large.reconcileMs / 1000,
    's',
    RECONCILE_SECONDS,
  ),
  reported('write units a task until it runs, hosts included', large.unitsPerTask, 'WCU'),
  atMost('peak memory, the tables included', memoryMb, 'MB', MEMORY_MB),
];

if (json) {
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
