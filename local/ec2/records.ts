import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';

/** Times are epoch ms throughout. */
export type Tags = Readonly<Record<string, string>>;

export type Lifecycle = 'spot' | 'on-demand';

export type InstanceStateName = 'pending' | 'running' | 'shutting-down' | 'terminated';

export interface InstanceRecord {
  readonly instanceId: string;
  readonly reservationId: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly lifecycle: Lifecycle;
  readonly state: InstanceStateName;
  readonly launchedAt: number;
  readonly runningAt?: number;
  readonly endedAt?: number;
  readonly privateIp: string;
  readonly imageId: string;
  /** Decoded. */
  readonly userData: string;
  readonly tags: Tags;
  readonly securityGroupIds: readonly string[];
  /** ARN or name. */
  readonly instanceProfile?: string;
  readonly keyName?: string;
  readonly metadataOptions?: RequestLaunchTemplateData['MetadataOptions'];
  readonly spotRequestId?: string;
  readonly clientToken?: string;
  readonly launchIndex: number;
  /** Why it ends: EC2's code and sentence. */
  readonly stateReason?: { readonly code: string; readonly message: string };
  readonly transitionReason?: string;
  /** When Spot takes it back, once it has been warned. */
  readonly interruptAt?: number;
  /** The agent has reported: its boot is complete. */
  readonly registered?: boolean;
  readonly impaired?: 'instance' | 'system';
  readonly scheduledEvents?: readonly {
    readonly eventId: string;
    readonly code: 'system-reboot' | 'system-maintenance' | 'instance-retirement' | 'instance-stop';
    readonly description: string;
    readonly notBefore: number;
  }[];
  readonly sequence: number;
}

/** Everything a launch needs, with template and overrides put together. */
export interface LaunchSpec {
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly lifecycle: Lifecycle;
  readonly imageId: string;
  readonly userData: string;
  readonly tags: Tags;
  readonly securityGroupIds: readonly string[];
  /** ARN or name. */
  readonly instanceProfile?: string;
  readonly keyName?: string;
  readonly metadataOptions?: RequestLaunchTemplateData['MetadataOptions'];
  readonly clientToken?: string;
}

export interface LaunchTemplateRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly defaultVersion: number;
  readonly versions: readonly {
    readonly version: number;
    readonly description?: string;
    readonly createdAt: number;
    readonly data: RequestLaunchTemplateData;
  }[];
  readonly tags: Tags;
}
