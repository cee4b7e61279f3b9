import { parseAgentConfig } from './compute/agentConfig.ts';
import { registrationOf } from './compute/registration.ts';
import { createEc2, type Ec2, type Ec2Parts } from './ec2/ec2.ts';
import type { InstanceRecord } from './ec2/records.ts';
import { createEcs, type Ecs } from './ecs/ecs.ts';
import type { EngineContext, EventSink } from './engine/service.ts';
import type { HostBackend } from './hosts/backend.ts';

export interface ComputeParts extends Pick<Ec2Parts, 'bootMs' | 'terminateGraceMs' | 'vcpuLimits'> {
  readonly events: EventSink;
  readonly backend: HostBackend;
}

/** EC2 and ECS on one set of hosts. */
export interface Compute {
  readonly ec2: Ec2;
  readonly ecs: Ecs;
  /** Once after every start, also the first: the backend takes over what the records say should run. */
  resume(): Promise<void>;
}

/** An agent that cannot register, because its cluster does not exist, is started again by its supervisor. */
const REGISTER_AGAIN_MS = 10_000;

/**
 * Puts EC2, ECS and the hosts together: an instance that has booted registers with ECS, what happens to containers reaches
 * their tasks, and an instance's end is the end of its tasks.
 */
export function createCompute(context: EngineContext, parts: ComputeParts): Compute {
  const { backend, events } = parts;
  const ecs = createEcs(context, { events, backend });

  const register = (instance: InstanceRecord): void => {
    const current = ec2.instance(instance.instanceId);
    if (current?.state !== 'running') return;
    const registration = registrationOf(current);
    if (ecs.registerHost(registration)) return;
    context.log(`${instance.instanceId} finds no cluster ${registration.cluster} to register in`);
    context.clock.after(REGISTER_AGAIN_MS, () => register(instance));
  };

  const ec2 = createEc2(context, {
    ...parts,
    hooks: {
      booted: register,
      warned({ instanceId, userData }) {
        if (parseAgentConfig(userData).drainsOnSpotWarning) ecs.drainHost(instanceId);
      },
      // The agent goes with the first services of a shutdown: how the containers end after that, ECS does not hear.
      shuttingDown: ({ instanceId }) => ecs.agentConnected(instanceId, false),
      terminated: ({ instanceId }) => ecs.instanceTerminated(instanceId),
    },
  });

  const isUp = (instanceId: string): boolean => ec2.instance(instanceId)?.state === 'running';
  backend.observe({
    booted: (instanceId) => ec2.booted(instanceId),
    bootFailed: (instanceId, reason) => ec2.bootFailed(instanceId, reason),
    terminated: (instanceId, reason) => ec2.ended(instanceId, reason),
    agentConnected(instanceId, connected) {
      if (isUp(instanceId)) ecs.agentConnected(instanceId, connected);
    },
    containerChanged(instanceId, taskArn, change) {
      if (isUp(instanceId)) ecs.containerChanged(instanceId, taskArn, change);
    },
  });

  return {
    ec2,
    ecs,
    async resume() {
      const instances = ec2.resume();
      await backend.adopt(instances, ecs.liveTasks());
      ecs.resume();
    },
  };
}
