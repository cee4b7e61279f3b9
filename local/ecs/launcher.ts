import type {
  Failure,
  RunTaskCommandInput,
  RunTaskCommandOutput,
  StartTaskCommandInput,
  StartTaskCommandOutput,
  TaskOverride,
} from '@aws-sdk/client-ecs';
import type { EngineContext } from '../engine/service.ts';
import { type Arns, lastPart } from './arn.ts';
import { parseCpu, parseMemory } from './definitionRules.ts';
import { demandOf, overridden } from './demand.ts';
import { describeTask, tagList } from './describeTask.ts';
import { clientException, invalidParameter } from './errors.ts';
import type { Host } from './host.ts';
import type { LaunchTokens } from './launchTokens.ts';
import { candidates, choose, parseConstraints, parseStrategies, refusal, type Wish } from './placement.ts';
import type { ClusterRecord, TaskDefinitionRecord, TaskOverrides, TaskRecord } from './records.ts';
import type { EcsStore } from './store.ts';
import { tagsOf } from './tags.ts';
import type { TaskDefinitions } from './taskDefinitions.ts';
import type { Tasks } from './tasks.ts';

/** RunTask and StartTask make at most this many tasks. */
const MAX_COUNT = 10;
/** One failure per host that was looked at would be 5,000 for a full cluster; a caller reads a few. */
const MAX_FAILURES = 100;

type Output<T> = Omit<T, '$metadata'>;
type LaunchInput = Omit<RunTaskCommandInput, 'count' | 'clientToken'>;

/** A checked request, the same for all of its tasks. */
interface Plan {
  readonly cluster: ClusterRecord;
  readonly definition: TaskDefinitionRecord;
  readonly overrides: TaskOverrides;
  readonly wish: Wish;
  readonly input: LaunchInput;
}

/** RunTask (ECS places) and StartTask (the caller does). */
export class Launcher {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly definitions: TaskDefinitions;
  private readonly tasks: Tasks;
  private readonly tokens: LaunchTokens;

  constructor(
    context: EngineContext,
    store: EcsStore,
    arns: Arns,
    definitions: TaskDefinitions,
    tasks: Tasks,
    tokens: LaunchTokens,
  ) {
    this.context = context;
    this.store = store;
    this.arns = arns;
    this.definitions = definitions;
    this.tasks = tasks;
    this.tokens = tokens;
  }

  run(input: RunTaskCommandInput): Output<RunTaskCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const earlier = this.tokens.find(cluster.name, input);
    if (earlier !== undefined) {
      const tasks = [...this.store.tasksOf(earlier.taskIds)];
      return { tasks: tasks.map((task) => this.show(task)), failures: [...earlier.failures] };
    }
    const count = input.count ?? 1;
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw invalidParameter(`count should be between 1 and ${MAX_COUNT}.`);
    }
    const plan = this.plan(cluster, input);
    this.requireHosts(cluster);
    const placed: TaskRecord[] = [];
    while (placed.length < count) {
      const host = choose(candidates(this.store.index(cluster.name), plan.wish), plan.wish, (n) =>
        this.draw(n),
      );
      if (host === undefined) break;
      placed.push(this.create(plan, host));
    }
    const failures = placed.length < count ? this.failures(plan) : [];
    this.tokens.remember(cluster.name, input, placed, failures);
    const output = { tasks: placed.map((task) => this.show(task)), failures };
    for (const task of placed) this.tasks.send(task);
    return output;
  }

  start(input: StartTaskCommandInput): Output<StartTaskCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const references = input.containerInstances ?? [];
    if (references.length === 0) throw invalidParameter('Container instances cannot be empty.');
    if (references.length > MAX_COUNT) {
      throw invalidParameter(`containerInstances has at most ${MAX_COUNT} members.`);
    }
    if ((input.startedBy ?? '').length > 36) {
      throw invalidParameter('startedBy should be shorter than or equal to 36 characters.');
    }
    const plan = this.plan(cluster, input);
    const placed: TaskRecord[] = [];
    const failures: Failure[] = [];
    for (const reference of references) {
      const host = this.store.host(cluster.name, reference);
      const reason = host === undefined ? 'MISSING' : startRefusal(host, plan.wish);
      if (host !== undefined && reason === undefined) placed.push(this.create(plan, host));
      else {
        const arn = this.arns.containerInstance(cluster.name, lastPart(reference));
        failures.push(reason === undefined ? { arn } : { arn, reason });
      }
    }
    const output = { tasks: placed.map((task) => this.show(task)), failures };
    for (const task of placed) this.tasks.send(task);
    return output;
  }

  private plan(cluster: ClusterRecord, input: LaunchInput): Plan {
    const definition = this.definitions.find(input.taskDefinition ?? '');
    if (definition === undefined) throw clientException('TaskDefinition not found.');
    if (definition.status !== 'ACTIVE') throw clientException('TaskDefinition is inactive');
    checkLaunch(input, definition);
    const overrides = parseOverrides(input.overrides, definition);
    const constraints = parseConstraints([
      ...(definition.definition.placementConstraints ?? []),
      ...(input.placementConstraints ?? []),
    ]);
    const wish: Wish = {
      ...constraints,
      demand: demandOf(definition.definition, overrides),
      group: input.group ?? `family:${definition.family}`,
      requires: definition.requiresAttributes,
      strategies: parseStrategies(input.placementStrategy ?? []),
    };
    return { cluster, definition, overrides, wish, input };
  }

  private requireHosts(cluster: ClusterRecord): void {
    for (const host of this.store.index(cluster.name).hosts.values()) {
      if (host.record.status === 'ACTIVE') return;
    }
    throw invalidParameter('No Container Instances were found in your cluster.');
  }

  private draw(n: number): number {
    return Number.parseInt(this.context.hex(8), 16) % n;
  }

  /** Why the candidates refused; the hosts outside the constraints when those leave none. */
  private failures(plan: Plan): Failure[] {
    const index = this.store.index(plan.cluster.name);
    const considered = candidates(index, plan.wish);
    const hosts = considered.length > 0 ? considered : index.hosts.values();
    const failures: Failure[] = [];
    for (const host of hosts) {
      if (host.record.status !== 'ACTIVE') continue;
      const reason = refusal(host, plan.wish);
      if (reason === undefined) continue;
      failures.push({ arn: this.arns.containerInstance(host.record.cluster, host.record.id), reason });
      if (failures.length === MAX_FAILURES) break;
    }
    return failures;
  }

  private create(plan: Plan, host: Host): TaskRecord {
    const { cluster, definition, overrides, wish, input } = plan;
    const zone = host.attributes['ecs.availability-zone'];
    const propagated = input.propagateTags === 'TASK_DEFINITION' ? definition.tags : {};
    const managed = input.enableECSManagedTags === true ? { 'aws:ecs:clusterName': cluster.name } : {};
    const task: TaskRecord = {
      id: this.context.hex(32),
      cluster: cluster.name,
      hostId: host.record.id,
      ec2InstanceId: host.ec2InstanceId,
      ...(zone === undefined ? {} : { zone }),
      architecture: host.attributes['ecs.cpu-architecture'] ?? 'x86_64',
      taskDefinitionArn: definition.arn,
      family: definition.family,
      group: wish.group,
      version: 1,
      lastStatus: 'PENDING',
      desiredStatus: 'RUNNING',
      containers: this.containers(definition, overrides),
      overrides,
      demand: wish.demand,
      ...(input.startedBy === undefined ? {} : { startedBy: input.startedBy }),
      tags: { ...managed, ...propagated, ...tagsOf(input.tags) },
      createdAt: this.context.clock.now(),
      sequence: this.store.nextSequence(),
    };
    this.tasks.create(task);
    return task;
  }

  private containers(definition: TaskDefinitionRecord, overrides: TaskOverrides): TaskRecord['containers'] {
    return (definition.definition.containerDefinitions ?? []).map((each) => {
      const container = overridden(each, overrides.containerOverrides);
      return {
        name: container.name ?? '',
        id: uuid(this.context.hex(32)),
        image: container.image ?? '',
        essential: container.essential ?? true,
        cpu: container.cpu ?? 0,
        ...(container.memory === undefined ? {} : { memory: container.memory }),
        ...(container.memoryReservation === undefined
          ? {}
          : { memoryReservation: container.memoryReservation }),
        lastStatus: 'PENDING' as const,
      };
    });
  }

  private show(task: TaskRecord): NonNullable<RunTaskCommandOutput['tasks']>[number] {
    return { ...describeTask(this.arns, task), tags: tagList(task.tags) };
  }
}

const uuid = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');

/** StartTask's caller has placed: only what the host itself must provide is checked. */
function startRefusal(host: Host, wish: Wish): string | undefined {
  if (host.record.status === 'INACTIVE') return 'INACTIVE';
  return refusal(host, { ...wish, memberOf: [], distinctInstance: false });
}

function checkLaunch(input: LaunchInput, { definition }: TaskDefinitionRecord): void {
  if (input.launchType !== undefined && input.launchType !== 'EC2') {
    throw invalidParameter(`Launch type ${input.launchType} is not supported by the embedded AWS.`);
  }
  const compatibilities = definition.requiresCompatibilities ?? [];
  if (compatibilities.length > 0 && !compatibilities.includes('EC2')) {
    throw invalidParameter('Task definition does not support launch_type EC2.');
  }
  if ((input.capacityProviderStrategy ?? []).length > 0 || (input.volumeConfigurations ?? []).length > 0) {
    throw invalidParameter(
      'Capacity providers and volume configurations are not supported by the embedded AWS.',
    );
  }
  if (definition.networkMode === 'awsvpc' && input.networkConfiguration === undefined) {
    throw invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  if (definition.networkMode !== 'awsvpc' && input.networkConfiguration !== undefined) {
    throw invalidParameter(
      'Network Configuration is not valid for the given networkMode of this task definition.',
    );
  }
  if ((input.startedBy ?? '').length > 128) {
    throw invalidParameter('startedBy should be shorter than or equal to 128 characters.');
  }
  if ((input.group ?? '').length > 255) throw invalidParameter('group has at most 255 characters.');
  if (/^service:/.test(input.group ?? '')) throw invalidParameter('Invalid namespace for group.');
}

function parseOverrides(input: TaskOverride | undefined, record: TaskDefinitionRecord): TaskOverrides {
  const containerOverrides = input?.containerOverrides ?? [];
  const names = new Set((record.definition.containerDefinitions ?? []).map((container) => container.name));
  for (const { name, environmentFiles } of containerOverrides) {
    if (!names.has(name)) {
      throw invalidParameter(
        `Override for container named ${name ?? ''} is not a container in the TaskDefinition.`,
      );
    }
    if ((environmentFiles ?? []).length > 0) {
      throw invalidParameter('environmentFiles are not supported by the embedded AWS.');
    }
  }
  const { cpu, memory } = input ?? {};
  if (cpu !== undefined && parseCpu(cpu) === undefined)
    throw invalidParameter(`Invalid 'cpu' override '${cpu}'.`);
  if (memory !== undefined && parseMemory(memory) === undefined) {
    throw invalidParameter(`Invalid 'memory' override '${memory}'.`);
  }
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    containerOverrides,
  };
}
