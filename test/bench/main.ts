import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readTrace } from './data/trace.ts';
import type { Figure } from './figure.ts';
import { fleetFigures } from './fleetBench.ts';
import { placementFigures } from './placementBench.ts';
import { type Replays, replayFigures, replays } from './replayBench.ts';
import { report } from './report/page.ts';
import { table } from './table.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    report: { type: 'boolean' },
    data: { type: 'string' },
    out: { type: 'string' },
  },
});

const pods = readTrace(values.data);
const note = (text: string): void => {
  if (values.json !== true) console.error(text);
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

if (values.json === true) {
  const entries = figures.map(({ name, value, unit, goal, pass }) => [name, { value, unit, goal, pass }]);
  console.log(JSON.stringify(Object.fromEntries(entries), undefined, 2));
} else console.log(table(figures));

if (values.report === true) {
  mkdirSync('.berth', { recursive: true });
  const file = values.out ?? '.berth/bench.html';
  writeFileSync(file, report(figures, days));
  note(`report: ${file}`);
}
if (figures.some(({ pass }) => !pass)) process.exitCode = 1;
