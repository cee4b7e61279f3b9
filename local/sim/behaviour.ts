import type { ContainerSpec } from '../hosts/backend.ts';
import type { Run } from '../hosts/virtualRun.ts';
import type { Behaviour } from './plan.ts';

const START_MS = 200;

/** The command of a container that behaves so. */
export const commandOf = ({ runMs, exitCode, failures, outOfMemory, pullFailures }: Behaviour): string[] => [
  'sim',
  runMs === undefined ? 'forever' : String(runMs),
  String(exitCode),
  String(failures),
  outOfMemory === true ? 'oom' : 'exit',
  String(pullFailures ?? 0),
];

/** What the process of such a command does at an attempt. */
export function behave({ command = [] }: ContainerSpec, attempt: number): Run {
  const [, runMs = 'forever', exitCode = '0', failures = '0', how = 'exit', pullFailures = '0'] = command;
  if (attempt <= Number(pullFailures)) {
    return { startMs: START_MS, failsToStart: 'CannotPullContainerError: manifest unknown' };
  }
  const fails = attempt <= Number(pullFailures) + Number(failures);
  return {
    startMs: START_MS,
    ...(runMs !== 'forever' && { runMs: Number(runMs) }),
    exitCode: fails ? (how === 'oom' ? 137 : 1) : Number(exitCode),
    ...(fails && how === 'oom' && { reason: 'OutOfMemoryError: container killed due to memory usage' }),
  };
}
