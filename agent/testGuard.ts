import type { Notice } from '../layers/domain/isolation/hostReport.ts';
import type { FakeCgroupFs } from './fakeCgroupFs.ts';
import { PressureGuard } from './pressureGuard.ts';
import type { TaskTable } from './taskTable.ts';
import { TaskWatches } from './taskWatch.ts';

/** For tests: a running guard of `/ecs` whose clock stands still between turns, and what it says. */
export function startGuard(fs: FakeCgroupFs, table: Pick<TaskTable, 'tasks' | 'squeeze'>) {
  const [log, notices]: [string[], Notice[]] = [[], []];
  const due: (() => void)[] = [];
  const closing = new AbortController();
  let nowMs = 0;
  let turn: (() => void) | undefined;
  const guard = new PressureGuard({
    fs,
    mounts: fs.mounts,
    parent: '/ecs',
    table,
    watches: new TaskWatches(fs, fs.mounts, () => {}),
    dryRun: false,
    reclaim: () => Promise.resolve(),
    kill: () => Promise.resolve(),
    tell: (notice) => notices.push(notice),
    now: () => nowMs,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve());
        turn = () => {
          nowMs += ms;
          resolve();
        };
      }),
    later: (_, work) => due.push(work),
    log: (line) => log.push(line),
  });
  const running = guard.run(closing.signal);
  return {
    guard,
    log,
    notices,
    now: () => nowMs,
    /** Lets the pause that is under way pass. */
    pass: async (): Promise<void> => {
      turn?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
    /** Does what was put off, such as arming triggers, and what that puts off in turn. */
    armAll: (): void => {
      for (let work = due.shift(); work !== undefined; work = due.shift()) work();
    },
    end: (): Promise<void> => {
      closing.abort();
      return running;
    },
  };
}
