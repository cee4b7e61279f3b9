import type {
  ContainerOverride,
  Failure,
  RegisterTaskDefinitionRequest,
  TaskStopCode,
} from '@aws-sdk/client-ecs';

/** Times are epoch ms throughout; what callers see is made from these in describe*.ts. */
export type Tags = Readonly<Record<string, string>>;

export interface ClusterRecord {
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly tags: Tags;
}

/** What was registered, as the caller gave it; defaults are filled in when it is described or run. */
export type RegisteredDefinition = Omit<RegisterTaskDefinitionRequest, 'tags'>;

export interface TaskDefinitionRecord {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly definition: RegisteredDefinition;
  /** Attributes a host must have; an empty value asks for presence alone. */
  readonly requiresAttributes: Tags;
  readonly registeredAt: number;
  readonly deregisteredAt?: number;
  readonly tags: Tags;
}

/** Resources as ECS counts them: CPU units, MiB, host ports as `8080/tcp`. */
export interface Demand {
  readonly cpu: number;
  readonly memory: number;
  readonly gpus: number;
  readonly ports: readonly string[];
}

export interface HostRecord {
  /** 32 hex: the last part of the container instance's ARN. */
  readonly id: string;
  readonly cluster: string;
  readonly ec2InstanceId: string;
  /** Grows with every change that an event tells of. */
  readonly version: number;
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly agentConnected: boolean;
  readonly agentVersion: string;
  readonly dockerVersion: string;
  readonly registered: Demand;
  readonly attributes: Tags;
  readonly registeredAt: number;
  readonly inactiveSince?: number;
  readonly tags: Tags;
  /** Order of registration: pages go by it. */
  readonly sequence: number;
}

export interface ContainerRecord {
  readonly name: string;
  /** 36 characters, the last part of the container's ARN. */
  readonly id: string;
  readonly image: string;
  readonly essential: boolean;
  readonly cpu: number;
  readonly memory?: number;
  readonly memoryReservation?: number;
  readonly lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  readonly runtimeId?: string;
  readonly imageDigest?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly networkBindings?: readonly {
    readonly bindIP: string;
    readonly containerPort: number;
    readonly hostPort: number;
    readonly protocol: 'tcp' | 'udp';
  }[];
}

export interface TaskOverrides {
  readonly cpu?: string;
  readonly memory?: string;
  readonly containerOverrides: readonly ContainerOverride[];
}

export interface TaskRecord {
  /** 32 hex: the last part of the task's ARN. */
  readonly id: string;
  readonly cluster: string;
  readonly hostId: string;
  readonly ec2InstanceId: string;
  readonly zone?: string;
  readonly architecture: string;
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly group: string;
  readonly version: number;
  readonly lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  readonly containers: readonly ContainerRecord[];
  readonly overrides: TaskOverrides;
  readonly demand: Demand;
  readonly startedBy?: string;
  readonly tags: Tags;
  readonly createdAt: number;
  readonly connectivityAt?: number;
  readonly pullStartedAt?: number;
  readonly pullStoppedAt?: number;
  readonly startedAt?: number;
  readonly stoppingAt?: number;
  readonly executionStoppedAt?: number;
  readonly stoppedAt?: number;
  readonly stopCode?: TaskStopCode;
  readonly stoppedReason?: string;
  readonly sequence: number;
}

/** What a RunTask with a client token did, so that a repeat does nothing more. */
export interface LaunchTokenRecord {
  readonly cluster: string;
  readonly token: string;
  readonly request: string;
  readonly taskIds: readonly string[];
  readonly failures: readonly Failure[];
  readonly createdAt: number;
}

/** The changes since a record's last version, of which an event has to tell. */
export type TaskPatch = Partial<Omit<TaskRecord, 'id' | 'version' | 'sequence'>>;
