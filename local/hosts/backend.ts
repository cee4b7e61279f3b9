/**
 * What carries instances and tasks out under the EC2 and ECS engines: Docker containers in cgroup slices
 * (`dockerHosts`), or virtual time (the simulator). The engines own every API-visible record; a backend owns only what
 * runs, and can be asked after a crash what that is.
 */
export interface InstanceSpec {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly architecture: 'x86_64' | 'arm64';
  readonly zone: string;
  readonly lifecycle: 'spot' | 'on-demand';
  readonly privateIp: string;
  /** Decoded user data of the launch template. */
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  /** ECS CPU units; Docker's cpu-shares. */
  readonly cpuUnits: number;
  /** Hard limit. */
  readonly memoryMiB?: number;
  readonly memoryReservationMiB?: number;
  readonly essential: boolean;
  readonly readonlyRootFilesystem: boolean;
  readonly privileged: boolean;
  /** `hostPort` 0 asks for an ephemeral one. */
  readonly portMappings: readonly {
    readonly containerPort: number;
    readonly hostPort: number;
    readonly protocol: 'tcp' | 'udp';
  }[];
  readonly dependsOn: readonly {
    readonly containerName: string;
    readonly condition: 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY';
  }[];
  readonly stopTimeoutSeconds: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface TaskLaunch {
  readonly taskArn: string;
  /** The last part of the ARN, 32 hex. */
  readonly ecsTaskId: string;
  readonly clusterName: string;
  readonly family: string;
  readonly revision: number;
  readonly networkMode: 'bridge' | 'host' | 'none';
  /** Task-level limits, when the task definition has them. */
  readonly cpuUnits?: number;
  readonly memoryMiB?: number;
  readonly containers: readonly ContainerSpec[];
}

export interface ContainerChange {
  readonly containerName: string;
  readonly status: 'PENDING' | 'RUNNING' | 'STOPPED';
  readonly runtimeId?: string;
  readonly imageDigest?: string;
  readonly exitCode?: number;
  /** As ECS words it: `OutOfMemoryError: ...`, `CannotPullContainerError: ...`, `CannotStartContainerError: ...`. */
  readonly reason?: string;
  readonly networkBindings?: readonly {
    readonly containerPort: number;
    readonly hostPort: number;
    readonly protocol: 'tcp' | 'udp';
    readonly bindIp: string;
  }[];
  /** Epoch ms, from the container engine. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** How a backend reports; calls may repeat after a restart, the engines keep the newest. */
export interface HostObserver {
  /** The instance is up and its container agent can take tasks. */
  booted(instanceId: string): void;
  bootFailed(instanceId: string, reason: string): void;
  /** The instance and everything on it is gone, asked for or not. */
  terminated(instanceId: string, reason: string): void;
  /** The container agent connected to or lost ECS. */
  agentConnected(instanceId: string, connected: boolean): void;
  containerChanged(instanceId: string, taskArn: string, change: ContainerChange): void;
}

export interface HostBackend {
  /** Called once, before anything else. */
  observe(observer: HostObserver): void;
  /** Starts booting and returns; the observer hears the end. Repeating it for a running instance does nothing. */
  boot(instance: InstanceSpec): void;
  /** Stops everything on the instance, with a grace of `graceMs`, and removes it; repeating it does nothing. */
  terminate(instanceId: string, graceMs: number): void;
  /** Starts the task's containers in dependency order; failures arrive as container changes. Idempotent by task ARN. */
  runTask(instanceId: string, launch: TaskLaunch): void;
  /** SIGTERM, then SIGKILL after each container's stop timeout. Idempotent. */
  stopTask(instanceId: string, taskArn: string, reason: string): void;
  /**
   * After a restart: what the records say should exist. The backend adopts what still runs (and reports its current
   * state through the observer), reports what ended meanwhile, and removes what no record names.
   */
  adopt(
    instances: readonly InstanceSpec[],
    tasks: readonly { readonly instanceId: string; readonly launch: TaskLaunch }[],
  ): Promise<void>;
  /** Ends observation and the backend's own processes. With `removeAll`, every container, cgroup and agent too. */
  close(options: { readonly removeAll: boolean }): Promise<void>;
}
