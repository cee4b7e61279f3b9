/** One measured figure; `models` are the same work done by the models of other autoscalers. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** As text; empty when the figure is only reported. */
  readonly goal: string;
  readonly pass: boolean;
  readonly models?: Readonly<Record<string, number>>;
}

export const atLeast = (name: string, value: number, unit: string, goal: number): Figure => ({
  name,
  value,
  unit,
  goal: `>= ${goal.toLocaleString('en-US')}`,
  pass: value >= goal,
});

export const atMost = (
  name: string,
  value: number,
  unit: string,
  goal: number,
  models?: Readonly<Record<string, number>>,
): Figure => ({
  name,
  value,
  unit,
  goal: `<= ${goal.toLocaleString('en-US')}`,
  pass: value <= goal,
  ...(models === undefined ? {} : { models }),
});

export const reported = (
  name: string,
  value: number,
  unit: string,
  models?: Readonly<Record<string, number>>,
): Figure => ({ name, value, unit, goal: '', pass: true, ...(models === undefined ? {} : { models }) });
