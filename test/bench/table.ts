import type { Figure } from './figure.ts';
import { MODEL_FIRST_FIT, MODEL_MANAGED } from './fleetBench.ts';

export const MODELS_NOTE = [
  'The last two columns are models written from the documentation of Amazon ECS managed scaling and of Karpenter, run on the',
  'same work in the same process; they are not measurements of those systems.',
].join('\n');

export const shown = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** One line a figure. */
export function table(figures: readonly Figure[]): string {
  const head = ['work', 'Berth', 'goal', '', 'ECS managed (model)', 'first fit (model)'];
  const rows = figures.map((figure) => [
    figure.name,
    `${shown(figure.value)} ${figure.unit}`,
    figure.goal === '' ? '' : `${figure.goal} ${figure.unit}`,
    figure.goal === '' ? '' : figure.pass ? 'ok' : 'MISSED',
    model(figure, MODEL_MANAGED),
    model(figure, MODEL_FIRST_FIT),
  ]);
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join('  ');
  return [
    line(head),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map(line),
    '',
    MODELS_NOTE,
  ].join('\n');
}

function model({ models, unit }: Figure, name: string): string {
  const value = models?.[name];
  return value === undefined ? '' : `${shown(value)} ${unit}`;
}
