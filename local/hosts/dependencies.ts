import type { ContainerSpec } from './backend.ts';

/** What is known of a container another one depends on. */
export interface DependencyState {
  readonly phase: 'waiting' | 'launching' | 'running' | 'stopped';
  readonly everStarted: boolean;
  readonly exitCode?: number;
  readonly healthy: boolean;
}

export type Readiness = 'ready' | 'wait' | { readonly never: string };

/** Whether a container may start now, must wait, or can never start, by its `dependsOn` conditions. */
export function readiness(
  spec: ContainerSpec,
  stateOf: (name: string) => DependencyState | undefined,
): Readiness {
  let result: Readiness = 'ready';
  for (const { containerName, condition } of spec.dependsOn) {
    const state = stateOf(containerName);
    if (state === undefined) return { never: `the task has no container ${containerName}` };
    const one = met(condition, state);
    if (one === 'never') return { never: `${containerName} will not reach ${condition}` };
    if (one === 'wait') result = 'wait';
  }
  return result;
}

function met(
  condition: ContainerSpec['dependsOn'][number]['condition'],
  state: DependencyState,
): 'ready' | 'wait' | 'never' {
  const over = state.phase === 'stopped';
  switch (condition) {
    case 'START':
      return state.everStarted ? 'ready' : over ? 'never' : 'wait';
    case 'COMPLETE':
      return over ? (state.everStarted ? 'ready' : 'never') : 'wait';
    case 'SUCCESS':
      return over ? (state.exitCode === 0 ? 'ready' : 'never') : 'wait';
    case 'HEALTHY':
      return over ? 'never' : state.healthy ? 'ready' : 'wait';
  }
}

/** Names of the containers that must stop before this one: those that depend on it. */
export const dependents = (containers: readonly ContainerSpec[], name: string): string[] =>
  containers
    .filter(({ dependsOn }) => dependsOn.some(({ containerName }) => containerName === name))
    .map((container) => container.name);
