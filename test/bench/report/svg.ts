/** Small SVG charts as strings; numbers in, markup out. */

export const PALETTE = {
  berth: '#0b7a75',
  managed: '#c2662d',
  firstFit: '#6b5ca5',
  bound: '#8a929e',
} as const;

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly color: string;
  /** A tick across the bar: the goal. */
  readonly mark?: number;
}

const LABEL_WIDTH = 350;
const BAR_WIDTH = 390;
const ROW = 30;

/** Horizontal bars on one scale; `log` for values of several magnitudes. */
export function bars(list: readonly Bar[], log = false): string {
  const values = list.flatMap(({ value, mark }) => [value, mark ?? 0]).filter((value) => value > 0);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const floor = log ? 10 ** Math.floor(Math.log10(least) - 0.3) : 0;
  const width = (value: number): number => {
    if (value <= floor) return 1;
    const share = log ? Math.log(value / floor) / Math.log(most / floor) : value / most;
    return Math.max(1, share * BAR_WIDTH);
  };
  const rows = list.map(({ label, value, text, color, mark }, n) => {
    const y = n * ROW;
    const tick =
      mark === undefined
        ? ''
        : `<line class="mark" x1="${LABEL_WIDTH + width(mark)}" x2="${LABEL_WIDTH + width(mark)}" y1="${y + 3}" y2="${y + 25}"/>`;
    return `<text x="${LABEL_WIDTH - 10}" y="${y + 19}" text-anchor="end">${escapeText(label)}</text>
<rect x="${LABEL_WIDTH}" y="${y + 6}" width="${width(value).toFixed(1)}" height="16" rx="3" fill="${color}"/>${tick}
<text class="value" x="${LABEL_WIDTH + Math.max(width(value), width(mark ?? 0)) + 8}" y="${y + 19}">${escapeText(text)}</text>`;
  });
  return svg(LABEL_WIDTH + BAR_WIDTH + 150, list.length * ROW + 4, rows.join('\n'));
}

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [number, number])[];
  readonly filled?: boolean;
}

const PLOT = { left: 56, right: 16, top: 12, bottom: 34, width: 880, height: 280 } as const;

export interface Axes {
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
  readonly xTicks: readonly number[];
  /** Steps hold until the next point, as fleets do. */
  readonly steps: boolean;
  readonly yMax?: number;
  readonly xMax?: number;
}

/** Lines over a shared pair of axes from zero. */
export function lines(list: readonly Line[], axes: Axes): string {
  const all = list.flatMap(({ points }) => points);
  const xMax = axes.xMax ?? Math.max(1e-9, ...all.map(([x]) => x));
  const yMax = axes.yMax ?? Math.max(1e-9, ...all.map(([, y]) => y)) * 1.05;
  const innerWidth = PLOT.width - PLOT.left - PLOT.right;
  const innerHeight = PLOT.height - PLOT.top - PLOT.bottom;
  const px = (x: number): number => PLOT.left + (Math.min(x, xMax) / xMax) * innerWidth;
  const py = (y: number): number => PLOT.top + innerHeight - (Math.min(y, yMax) / yMax) * innerHeight;
  const yTicks = niceTicks(yMax);
  const grid = [
    ...yTicks.map(
      (y) =>
        `<line class="grid" x1="${PLOT.left}" x2="${PLOT.width - PLOT.right}" y1="${py(y)}" y2="${py(y)}"/>
<text class="tick" x="${PLOT.left - 8}" y="${py(y) + 4}" text-anchor="end">${escapeText(axes.y(y))}</text>`,
    ),
    ...axes.xTicks
      .filter((x) => x <= xMax)
      .map(
        (x) =>
          `<text class="tick" x="${px(x)}" y="${PLOT.height - 12}" text-anchor="middle">${escapeText(axes.x(x))}</text>`,
      ),
  ];
  const paths = list.map(({ color, points, filled }) => {
    const path = pathOf(points, px, py, axes.steps);
    if (filled === true && points.length > 0) {
      const base = py(0).toFixed(1);
      const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
      return `<path d="${path}L${px(last).toFixed(1)},${base}L${px(first).toFixed(1)},${base}Z" fill="${color}" opacity="0.22"/>
<path d="${path}" fill="none" stroke="${color}" stroke-width="1.2"/>`;
    }
    return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.8" stroke-linejoin="round"/>`;
  });
  return `${legend(list)}${svg(PLOT.width, PLOT.height, [...grid, ...paths].join('\n'))}`;
}

function pathOf(
  points: readonly (readonly [number, number])[],
  px: (x: number) => number,
  py: (y: number) => number,
  steps: boolean,
): string {
  let path = '';
  let lastX = Number.NEGATIVE_INFINITY;
  points.forEach(([x, y], n) => {
    const at = px(x);
    // Half a pixel is all a screen shows.
    if (n > 0 && n < points.length - 1 && at - lastX < 0.5) return;
    lastX = at;
    if (n === 0) path += `M${at.toFixed(1)},${py(y).toFixed(1)}`;
    else path += steps ? `H${at.toFixed(1)}V${py(y).toFixed(1)}` : `L${at.toFixed(1)},${py(y).toFixed(1)}`;
  });
  return path;
}

const legend = (list: readonly Line[]): string =>
  `<p class="legend">${list
    .map(({ name, color }) => `<span><i style="background:${color}"></i>${escapeText(name)}</span>`)
    .join('')}</p>`;

function niceTicks(max: number): number[] {
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const ticks: number[] = [];
  for (let tick = 0; tick <= max; tick += step) ticks.push(tick);
  return ticks;
}

const svg = (width: number, height: number, body: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img">${body}</svg>`;
