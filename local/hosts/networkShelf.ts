import type { ContainerSpec, TaskLaunch } from './backend.ts';

/** Gives a container in `bridge` mode its network: a name the engine knows, or `container:<id>`. */
export interface NetworkShelf {
  take(launch: TaskLaunch, spec: ContainerSpec): Promise<string>;
}

/** Every container gets a new namespace on the bridge when it starts. */
export const plainBridge = (network: string): NetworkShelf => ({ take: () => Promise.resolve(network) });
