/** One measured value; `goal` is absent where the value is only told. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly pass?: boolean;
}

/** Nearest-rank percentile of values in any order; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const atMost = (value: number, unit: string, goal: number): Figure => ({
  value,
  unit,
  goal: `<= ${goal} ${unit}`,
  pass: value <= goal,
});

export const atLeast = (value: number, unit: string, goal: number): Figure => ({
  value,
  unit,
  goal: `>= ${goal} ${unit}`,
  pass: value >= goal,
});

const round = (value: number): number => Number(value.toPrecision(3));

/** Lines for a person, one a figure. */
export function figureLines(figures: Readonly<Record<string, Figure>>): string[] {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures).map(([name, { value, unit, goal, pass }]) => {
    const verdict = pass === undefined ? '' : pass ? '  ok' : '  MISSED';
    return `${name.padEnd(width)}  ${round(value)} ${unit}${goal === undefined ? '' : `  (${goal})`}${verdict}`;
  });
}
