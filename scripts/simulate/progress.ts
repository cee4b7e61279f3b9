import type { Failure, Tally } from './seedSearch.ts';

const BAR_EVERY_MS = 200;
const BAR_WIDTH = 20;
/** Where nobody watches, in a log. */
const LINE_EVERY_MS = 60_000;

/** Shows a search on `stderr`: a bar in a terminal, a line a minute elsewhere, and violations as they are found. */
export function searchProgress(count: number, stderr: NodeJS.WriteStream): ProgressDisplay {
  const bar = stderr.isTTY === true;
  const everyMs = bar ? BAR_EVERY_MS : LINE_EVERY_MS;
  let shownMs = bar ? Number.NEGATIVE_INFINITY : 0;
  return {
    seed(tally, failure) {
      if (failure !== undefined) {
        const { invariant, detail } = failure.violation;
        stderr.write(`${bar ? '\r\x1b[K' : ''}seed ${failure.seed}: ${invariant}: ${detail}\n`);
      }
      if (tally.wallMs - shownMs < everyMs && tally.done < count) return;
      shownMs = tally.wallMs;
      if (bar) stderr.write(`\r\x1b[K${barOf(tally, count)} ${progressOf(tally, count)}`);
      else if (tally.done < count) stderr.write(`${progressOf(tally, count)}\n`);
    },
    end: () => void (bar && stderr.write('\n')),
  };
}

export interface ProgressDisplay {
  seed(tally: Tally, failure: Failure | undefined): void;
  end(): void;
}

const barOf = ({ done }: Tally, count: number): string =>
  `[${'#'.repeat(Math.floor((BAR_WIDTH * done) / count)).padEnd(BAR_WIDTH, '.')}]`;

function progressOf(tally: Tally, count: number): string {
  const left = (tally.wallMs / tally.done) * (count - tally.done);
  return [
    `${tally.done}/${count}`,
    speedOf(tally),
    `${tally.failures.length} violations`,
    ...(tally.done < count ? [`${durationOf(left)} left`] : []),
  ].join(', ');
}

export const speedOf = ({ done, wallMs, cpuMs }: Tally): string =>
  `${perSecond(done, wallMs).toFixed(1)} seeds/s, ${perSecond(done, cpuMs).toFixed(1)} per CPU second`;

export const perSecond = (count: number, ms: number): number => (ms > 0 ? (1000 * count) / ms : 0);

/** `2 h 5 min`, `3 min`, `40 s`: as exactly as an estimate is. */
export function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
