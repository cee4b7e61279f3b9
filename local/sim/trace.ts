/** What happened, in order. Lines are made only when somebody will read them. */
export interface Trace {
  note(line: () => string): void;
  readonly lines: readonly string[];
}

export const noTrace: Trace = { note: () => {}, lines: [] };

const MAX_LINES = 200_000;

export function keepTrace(now: () => number): Trace {
  const startMs = now();
  const lines: string[] = [];
  return {
    lines,
    note(line) {
      if (lines.length < MAX_LINES)
        lines.push(`${((now() - startMs) / 1000).toFixed(3).padStart(10)}  ${line()}`);
    },
  };
}

/** The lines that name one of these ids; all of them when none is given. */
export function linesAbout(lines: readonly string[], about: readonly string[]): string[] {
  const ids = about.filter((id) => id !== '');
  if (ids.length === 0) return [...lines];
  return lines.filter((line) => ids.some((id) => line.includes(id)));
}
