import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HEAP_FLAGS, MALLOC_SETTINGS, NODE_FLAGS } from '../../agent/nodeFlags.ts';
import { parseAgentConfig } from '../compute/agentConfig.ts';
import { accessKeyIdOf } from '../iam/caller.ts';
import type { AgentCommand } from './agentProcess.ts';
import type { InstanceSpec } from './backend.ts';
import { ecsCgroup } from './cgroupSlice.ts';
import { LABELS } from './labels.ts';

export interface AgentSetup {
  readonly dataDir: string;
  readonly dockerSocket: string;
  /** Where the agent's AWS calls go. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** DynamoDB table of the report; without it none is sent. */
  readonly table?: string;
  /** Log group of the agents' metrics; without it they send none. */
  readonly logGroup?: string;
  /** The agent's bundle, default its source. */
  readonly entry?: string;
}

const SOURCE_ENTRY = fileURLToPath(new URL('../../agent/main.ts', import.meta.url));

/** How the agent of an instance is started here: as on EC2, except that it is told what IMDS would tell. */
export const agentCommand =
  (setup: AgentSetup) =>
  (instance: InstanceSpec): AgentCommand => ({
    argv:
      setup.entry === undefined
        ? [process.execPath, ...HEAP_FLAGS, SOURCE_ENTRY]
        : [process.execPath, ...NODE_FLAGS, setup.entry],
    environment: {
      ...MALLOC_SETTINGS,
      BERTH_INSTANCE_ID: instance.instanceId,
      BERTH_INSTANCE_ARN: `arn:aws:ec2:${setup.region}:${setup.accountId}:instance/${instance.instanceId}`,
      BERTH_CLUSTER: parseAgentConfig(instance.userData).cluster,
      BERTH_CGROUP_PARENT: ecsCgroup(instance.instanceId),
      BERTH_CONTAINER_LABEL: `${LABELS.instance}=${instance.instanceId}`,
      BERTH_STATE_DIR: resolve(setup.dataDir, 'hosts', instance.instanceId, 'agent'),
      ...(setup.table === undefined ? {} : { BERTH_TABLE: setup.table }),
      ...(setup.logGroup === undefined ? {} : { BERTH_LOG_GROUP: setup.logGroup }),
      DOCKER_HOST: `unix://${setup.dockerSocket}`,
      AWS_ENDPOINT_URL: setup.endpoint,
      AWS_REGION: setup.region,
      AWS_ACCESS_KEY_ID: accessKeyIdOf({ kind: 'instance', name: instance.instanceId }),
      AWS_SECRET_ACCESS_KEY: 'berth',
      // There is no instance metadata here: looking for it would only wait.
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
