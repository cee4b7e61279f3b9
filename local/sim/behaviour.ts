import type { ContainerSpec } from '../hosts/backend.ts';
import type { Run } from '../hosts/virtualHosts.ts';
import type { Behaviour } from './plan.ts';

const START_MS = 200;

/** The command of a container that behaves so. */
export const commandOf = ({ runMs, exitCode, failures }: Behaviour): string[] => [
  'sim',
  runMs === undefined ? 'forever' : String(runMs),
  String(exitCode),
  String(failures),
];

/** What the process of such a command does at an attempt. */
export function behave({ command = [] }: ContainerSpec, attempt: number): Run {
  const [, runMs = 'forever', exitCode = '0', failures = '0'] = command;
  return {
    startMs: START_MS,
    ...(runMs !== 'forever' && { runMs: Number(runMs) }),
    exitCode: attempt <= Number(failures) ? 1 : Number(exitCode),
  };
}
