import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromCommandLine, parseOptions } from '../../local/cli/commandLine.ts';
import { readTrace } from './data/trace.ts';
import type { Figure } from './figure.ts';
import { fleetFigures } from './fleetBench.ts';
import { placementFigures } from './placementBench.ts';
import { type Replays, replayFigures, replays } from './replayBench.ts';
import { report } from './report/page.ts';
import { table } from './table.ts';

const HELP = `What placement and capacity cost and buy, each figure beside its goal.

  npm run bench -- [options]

  --report      also makes a page of it
  --out FILE    where that page goes (.berth/bench.html)
  --data FILE   another trace of arrivals to replay
  --json        one JSON object on standard output
  --help        this text

Exit codes: 0 every goal is met, 1 one is not, 2 the options are wrong.`;

const values = fromCommandLine(HELP, (argv) =>
  parseOptions(argv, {
    json: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    data: { type: 'string' },
    out: { type: 'string', default: '.berth/bench.html' },
  }),
);

const pods = readTrace(values.data);
const note = (text: string): void => {
  if (!values.json) console.error(text);
};

note('placement ...');
const placement = placementFigures();
note('fleets ...');
const fleets = fleetFigures(pods);
note('replay ...');
const days: Replays[] = [replays(pods, 1_000), replays(pods, 100)];
const figures: Figure[] = [
  ...placement,
  ...fleets,
  ...days.flatMap((day) => replayFigures(day, day.speedUp === 1_000 ? 1.15 : undefined)),
];

if (values.json) {
  const entries = figures.map(({ name, value, unit, goal, pass }) => [name, { value, unit, goal, pass }]);
  console.log(JSON.stringify(Object.fromEntries(entries), undefined, 2));
} else console.log(table(figures));

if (values.report) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, report(figures, days));
  note(`report: ${values.out}`);
}
if (figures.some(({ pass }) => !pass)) process.exitCode = 1;
