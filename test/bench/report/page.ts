import type { Figure } from '../figure.ts';
import { MODEL_FIRST_FIT, MODEL_MANAGED } from '../fleetBench.ts';
import type { ReplayResult } from '../replay/simulator.ts';
import type { Replays } from '../replayBench.ts';
import { MODELS_NOTE, shown } from '../table.ts';
import { type Bar, bars, escapeText, type Line, lines, PALETTE } from './svg.ts';

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe3e8;--card:#fff;--back:#f5f6f8;--good:#0b7a75;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b4;--line:#323a46;--card:#1b2129;--back:#12161c;--good:#4fc3b9;--bad:#ff8a80}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:980px;margin:0 auto;padding:40px 20px 80px}h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:18px;margin:0 0 4px}p{margin:0 0 14px;color:var(--soft)}section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:22px 24px;margin-top:20px}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:13px}svg .value{font-weight:600}svg .tick{fill:var(--soft);font-size:11.5px}
svg .grid{stroke:var(--line)}svg .mark{stroke:var(--ink);stroke-width:2;stroke-dasharray:3 2}
.legend{display:flex;gap:18px;flex-wrap:wrap;margin:6px 0}.legend span{display:inline-flex;align-items:center;gap:7px;font-size:13px}.legend i{width:12px;height:12px;border-radius:3px}
table{width:100%;border-collapse:collapse;font-size:13.5px}th,td{text-align:right;padding:6px 8px;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums;white-space:nowrap}
th{color:var(--soft);font-weight:500}td:first-child,th:first-child{text-align:left;white-space:normal}.ok{color:var(--good);font-weight:600}.missed{color:var(--bad);font-weight:600}
.scroll{overflow-x:auto}
`;

/** One page that needs nothing else: figures, throughput and cost against their bounds, and each day replayed. */
export function report(figures: readonly Figure[], days: readonly Replays[]): string {
  const met = figures.filter(({ goal, pass }) => goal !== '' && pass).length;
  const goals = figures.filter(({ goal }) => goal !== '').length;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Berth: placement and capacity</title><style>${STYLE}</style></head><body><main>
<h1>Placement and capacity</h1><p>${met} of ${goals} goals met. Processor time on one core, medians of five runs. ${escapeText(MODELS_NOTE)}</p>
${section('Placements a second', 'Dashed: the goal. Logarithmic.', bars(throughput(figures), true))}
${section('Fleet cost above the linear-programming bound', 'Percent; the bound knows nothing of indivisible tasks. Dashed: the goal.', bars(fleetCosts(figures)))}
${days.map(day).join('\n')}
${section('All figures', '', figureTable(figures))}
</main></body></html>`;
}

const section = (title: string, text: string, body: string): string =>
  `<section><h2>${escapeText(title)}</h2>${text === '' ? '' : `<p>${escapeText(text)}</p>`}${body}</section>`;

const goalOf = ({ goal }: Figure): number => Number(goal.replace(/[^0-9.]/g, ''));

const throughput = (figures: readonly Figure[]): Bar[] =>
  figures
    .filter(({ unit }) => unit === '/s')
    .map((figure) => ({
      label: figure.name,
      value: figure.value,
      text: shown(figure.value),
      color: PALETTE.berth,
      mark: goalOf(figure),
    }));

const fleetCosts = (figures: readonly Figure[]): Bar[] =>
  figures
    .filter(({ name }) => name.startsWith('fleet cost'))
    .flatMap((figure) => {
      const label = figure.name.replace('fleet cost over the LP bound: ', '');
      const firstFit = figure.models?.[MODEL_FIRST_FIT] ?? 0;
      return [
        {
          label,
          value: figure.value,
          text: `${shown(figure.value)} %`,
          color: PALETTE.berth,
          mark: goalOf(figure),
        },
        {
          label: 'first fit (model)',
          value: firstFit,
          text: `${shown(firstFit)} %`,
          color: PALETTE.firstFit,
        },
      ];
    });

function day({ speedUp, berth, managed, firstFit }: Replays): string {
  const results: readonly (readonly [ReplayResult, string])[] = [
    [managed, PALETTE.managed],
    [firstFit, PALETTE.firstFit],
    [berth, PALETTE.berth],
  ];
  const hours = (ms: number): number => ms / 3_600_000;
  const span = Math.max(...results.map(([{ samples }]) => hours(samples.at(-1)?.atMs ?? 0)));
  const step = [1, 2, 4, 6, 12].find((each) => span / each <= 12) ?? 24;
  const bound: Line = {
    name: 'what runs, at its bound',
    color: PALETTE.bound,
    points: berth.samples.map(({ atMs, boundUsdPerHour }) => [hours(atMs), boundUsdPerHour]),
    filled: true,
  };
  const fleets = results.map(
    ([{ policy, samples }, color]): Line => ({
      name: policy,
      color,
      points: samples.map(({ atMs, usdPerHour }) => [hours(atMs), usdPerHour]),
    }),
  );
  const xTicks = Array.from({ length: Math.ceil(span / step) + 1 }, (_, n) => n * step);
  const fleet = lines([bound, ...fleets], {
    x: (value) => `${value} h`,
    y: (value) => `$${shown(value)}`,
    xTicks,
    steps: true,
  });
  const waits = lines(
    results.map(
      ([{ policy, waits: sorted }, color]): Line => ({
        name: policy,
        color,
        points: [
          [0, 0],
          ...sorted.map((ms, n): [number, number] => [ms / 1000, ((n + 1) / sorted.length) * 100]),
        ],
      }),
    ),
    {
      x: (value) => `${value} s`,
      y: (value) => `${shown(value)} %`,
      xTicks: [0, 10, 20, 26, 40, 60, 80],
      steps: true,
      yMax: 100,
      xMax: 90,
    },
  );
  const total = bars(
    [...results].reverse().map(([result, color]) => ({
      label: result.policy,
      value: result.usd / result.boundUsd,
      text: `${shown(result.usd / result.boundUsd)} x  ($${result.usd.toFixed(0)})`,
      color,
      mark: 1,
    })),
  );
  const name = `openb replay, arrivals / ${shown(speedUp)}`;
  return [
    section(
      `${name}: fleet and demand`,
      'USD an hour of all hosts, over the least that would carry what runs.',
      fleet,
    ),
    section(`${name}: cost over the bound`, 'The whole replay; dashed: the integral of the bound.', total),
    section(`${name}: waits`, 'Share of tasks placed within a time; a host boots in 26 s.', waits),
  ].join('\n');
}

function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, value, unit, goal, pass, models } = figure;
    const verdict =
      goal === '' ? '' : pass ? '<span class="ok">met</span>' : '<span class="missed">missed</span>';
    const of = (model: string): string =>
      models?.[model] === undefined ? '' : `${shown(models[model])} ${unit}`;
    const cells = [
      `${shown(value)} ${unit}`,
      escapeText(goal),
      verdict,
      of(MODEL_MANAGED),
      of(MODEL_FIRST_FIT),
    ];
    return `<tr><td>${escapeText(name)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>work</th><th>Berth</th><th>goal</th><th></th><th>ECS managed (model)</th><th>first fit (model)</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}
