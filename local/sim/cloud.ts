import * as ecsSdk from '@aws-sdk/client-ecs';
import { createEcsContainers } from '../../layers/aws/ecs/containers.ts';
import type { InstanceType } from '../../layers/domain/model/pool.ts';
import type { Containers } from '../../layers/ports/containers.ts';
import { agentCapabilities } from '../ecs/definitionNeeds.ts';
import { createEcs, type Ecs } from '../ecs/ecs.ts';
import type { EngineClock } from '../engine/clock.ts';
import type { Fault } from '../engine/faults.ts';
import type { AwsEvent, EngineContext } from '../engine/service.ts';
import { memoryState } from '../engine/state.ts';
import type { ContainerSpec } from '../hosts/backend.ts';
import type { Run } from '../hosts/virtualRun.ts';
import { inProcessClient } from '../wire/inProcessClient.ts';
import type { FaultRates } from './faultRates.ts';
import { SimMachines } from './machines.ts';
import { CLUSTER } from './plan.ts';
import { Processes, type ProcessesOptions } from './processes.ts';
import type { Random } from './random.ts';

const simTypes: readonly InstanceType[] = [
  { name: 'sim.large', cpu: 2048, memory: 3700, usd: 0.085 },
  { name: 'sim.xlarge', cpu: 4096, memory: 7600, usd: 0.17 },
].map(({ name, cpu, memory, usd }) => ({
  name,
  architecture: 'x86_64',
  capacity: { cpu, memory },
  usdPerHour: usd,
  spotUsdPerHour: usd / 3,
  spotInterruptionRate: 0.05,
}));

/** AWS and its hosts in virtual time: the ECS engine, EC2, and the processes that really run. */
export interface Cloud {
  readonly ecs: Ecs;
  readonly machines: SimMachines;
  readonly processes: Processes;
  /** A host loses its disk: its agent comes back without its registration, and its tasks are gone. */
  loseData(hostId: string): void;
  /** A host's agent loses its data and comes back without its registration, and its tasks run on. */
  forget(hostId: string): void;
  /** Somebody deregisters a host by force: ECS calls its tasks STOPPED, and they run on. */
  deregister(hostId: string): Promise<void>;
  /** A client of its own token bucket and caches, as each function's process has. */
  containers(): Containers;
}

export interface CloudOptions extends Pick<ProcessesOptions, 'onStart' | 'onExit'> {
  readonly clock: EngineClock;
  readonly random: (name: string) => Random;
  readonly rates: () => FaultRates;
  readonly emit: (event: AwsEvent) => void;
  readonly onTerminate: (hostId: string) => void;
  readonly types?: readonly InstanceType[];
  readonly behave: (container: ContainerSpec, attempt: number) => Run;
}

/** From launch to a registered agent. */
export const BOOT_MS = 30_000;

/** From the loss of a host's disk, or its agent's data, to its agent's new registration. */
const REBOOT_MS = 10_000;

/** ECS notices that an instance is gone only after a while. */
const NOTICE_MEAN_MS = 20_000;

export async function createCloud(options: CloudOptions): Promise<Cloud> {
  const { clock, rates, emit, behave, onStart, onExit, types = simTypes } = options;
  const processes = new Processes({ clock, bootMs: BOOT_MS, behave, onStart, onExit });
  const faultDice = options.random('ecs faults');
  const ids = options.random('ecs ids');
  const context: EngineContext = {
    region: 'us-east-1',
    accountId: '000000000000',
    clock,
    state: memoryState(),
    faults: { at: (point) => ecsFault(point, faultDice, rates()) },
    hex: (length) => ids.hex(length),
    log: () => {},
  };
  const engine = createEcs(context, { events: { emit }, backend: processes.backend });
  const machines = new SimMachines({
    clock,
    hosts: processes.hosts,
    random: options.random('ec2'),
    rates,
    types,
    emit,
    onTerminate: options.onTerminate,
  });
  const noticing = options.random('notice');
  const forgetful = new Set<string>();
  processes.hosts.observe({
    booted(hostId) {
      const instance = machines.instances.get(hostId);
      const type = types.find(({ name }) => name === instance?.instanceType);
      if (instance === undefined || type === undefined) return;
      const registration = {
        cluster: instance.cluster,
        ec2InstanceId: hostId,
        agentVersion: '1.86.3',
        dockerVersion: 'DockerVersion: 25.0.3',
        registered: { cpu: type.capacity.cpu ?? 0, memory: type.capacity.memory ?? 0, gpus: 0, ports: [] },
        attributes: {
          ...agentCapabilities,
          'ecs.cpu-architecture': 'x86_64',
          'ecs.instance-type': type.name,
        },
        tags: {},
      };
      engine.registerHost(registration, forgetful.delete(hostId));
    },
    bootFailed: () => {},
    terminated(hostId) {
      machines.gone(hostId);
      clock.after(noticing.around(NOTICE_MEAN_MS), () => engine.instanceTerminated(hostId));
    },
    agentConnected: (hostId, connected) => engine.agentConnected(hostId, connected),
    containerChanged: (hostId, arn, change) => engine.containerChanged(hostId, arn, change),
  });
  await setUp(engine);
  const service = failingLaunches(engine, options.random('launch failures'), rates);
  const client = inProcessClient<ecsSdk.ECSClient>({ service, sdk: ecsSdk });
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  return {
    ecs: engine,
    machines,
    processes,
    loseData(hostId) {
      forgetful.add(hostId);
      processes.hosts.loseData(hostId, REBOOT_MS);
    },
    forget(hostId) {
      forgetful.add(hostId);
      processes.hosts.forget(hostId, REBOOT_MS);
    },
    async deregister(hostId) {
      const { containerInstanceArns = [] } = await client.send(
        new ecsSdk.ListContainerInstancesCommand({
          cluster: CLUSTER,
          filter: `ec2InstanceId == ${hostId}`,
        }),
      );
      for (const containerInstance of containerInstanceArns) {
        await client.send(
          new ecsSdk.DeregisterContainerInstanceCommand({ cluster: CLUSTER, containerInstance, force: true }),
        );
      }
    },
    containers: () => createEcsContainers({ client, clock, sleep }),
  };
}

async function setUp({ service }: Ecs): Promise<void> {
  const call = { requestId: 'set-up' };
  await service.operations.CreateCluster?.({ clusterName: CLUSTER }, call);
  const containerDefinitions = [{ name: 'main', image: 'sim', cpu: 256, memory: 256 }];
  await service.operations.RegisterTaskDefinition?.({ family: 'job', containerDefinitions }, call);
}

function ecsFault(point: string, random: Random, rates: FaultRates): Fault | undefined {
  if (point === 'ecs.staleRead') {
    if (!random.chance(rates.staleRead)) return undefined;
    return random.chance(0.3) ? { kind: 'drop' } : { kind: 'delay', delayMs: random.between(1_000, 60_000) };
  }
  // Set-up is not under test, and events have faults of their own on their way.
  if (point === 'ecs.events' || point === 'ecs.CreateCluster' || point === 'ecs.RegisterTaskDefinition')
    return undefined;
  if (random.chance(rates.throttle)) {
    return { kind: 'error', code: 'ThrottlingException', message: 'Rate exceeded', statusCode: 400 };
  }
  if (random.chance(rates.lostAnswer)) return { kind: 'lost-answer' };
  return random.chance(rates.refusedCall) ? { kind: 'drop' } : undefined;
}

/**
 * RunTask's 200 with `failures[]`, for a host that ECS says has no room or no agent. A repeat with the same token gets
 * the same answer, as ECS documents.
 */
function failingLaunches(engine: Ecs, random: Random, rates: () => FaultRates): Ecs['service'] {
  const { service } = engine;
  const answers = new Map<string, string | undefined>();
  return {
    ...service,
    operations: {
      ...service.operations,
      RunTask(input: ecsSdk.RunTaskCommandInput, call) {
        const token = input.clientToken ?? '';
        if (!answers.has(token)) {
          const fails = random.chance(rates().launchFailure);
          answers.set(token, fails ? random.pick(['RESOURCE:MEMORY', 'AGENT']) : undefined);
        }
        const reason = answers.get(token);
        if (reason !== undefined) return { tasks: [], failures: [{ arn: '', reason }] };
        return service.operations.RunTask?.(input, call);
      },
    },
  };
}
