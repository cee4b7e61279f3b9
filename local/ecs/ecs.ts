import type {
  CreateClusterCommandInput,
  DeleteAttributesCommandInput,
  DeleteClusterCommandInput,
  DeregisterContainerInstanceCommandInput,
  DeregisterTaskDefinitionCommandInput,
  DescribeClustersCommandInput,
  DescribeContainerInstancesCommandInput,
  DescribeTaskDefinitionCommandInput,
  DescribeTasksCommandInput,
  ListAttributesCommandInput,
  ListClustersCommandInput,
  ListContainerInstancesCommandInput,
  ListTagsForResourceCommandInput,
  ListTaskDefinitionFamiliesCommandInput,
  ListTaskDefinitionsCommandInput,
  ListTasksCommandInput,
  PutAttributesCommandInput,
  RegisterContainerInstanceCommandInput,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
  StartTaskCommandInput,
  StopTaskCommandInput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
  UpdateContainerInstancesStateCommandInput,
} from '@aws-sdk/client-ecs';
import { withFaults } from '../engine/faultyOperation.ts';
import type { EngineContext, EventSink, Service } from '../engine/service.ts';
import type { ContainerChange, HostBackend, TaskLaunch } from '../hosts/backend.ts';
import { Arns } from './arn.ts';
import { Attributes } from './attributes.ts';
import { Clusters } from './clusters.ts';
import { EcsEvents } from './events.ts';
import type { Host } from './host.ts';
import { HostOperations } from './hostOperations.ts';
import { Hosts, type Registration } from './hosts.ts';
import { Launcher } from './launcher.ts';
import { LaunchTokens } from './launchTokens.ts';
import { registerContainerInstance } from './registerOperation.ts';
import { EcsStore } from './store.ts';
import { TagOperations } from './tags.ts';
import { TaskDefinitions } from './taskDefinitions.ts';
import { TaskOperations } from './taskOperations.ts';
import { Tasks } from './tasks.ts';
import { createThrottle } from './throttle.ts';

export interface EcsParts {
  readonly events: EventSink;
  readonly backend: HostBackend;
}

/** ECS for the embedded hosts: the service that callers see, and what hosts and their agents tell it. */
export interface Ecs {
  readonly service: Service;
  /**
   * An agent registers its host, anew when it has `forgotten` that it had. False when there is no such cluster: the agent
   * tries again.
   */
  registerHost(registration: Registration, forgotten?: boolean): boolean;
  agentConnected(ec2InstanceId: string, connected: boolean): void;
  /** The agent asks to be given nothing more. */
  drainHost(ec2InstanceId: string): void;
  containerChanged(ec2InstanceId: string, taskArn: string, change: ContainerChange): void;
  /** The instance is gone: its tasks are over and its container instance is no more. */
  instanceTerminated(ec2InstanceId: string): void;
  /** What should be running, for a backend that starts again. */
  liveTasks(): { readonly instanceId: string; readonly launch: TaskLaunch }[];
  /** Tells every agent again what it should be doing, once the backend has adopted what it found. */
  resume(): void;
}

export function createEcs(context: EngineContext, parts: EcsParts): Ecs {
  const arns = new Arns(context);
  const store = new EcsStore(context);
  const events = new EcsEvents(context, parts.events, arns);
  const hosts = new Hosts(context, store, events);
  const tasks = new Tasks(context, store, arns, events, hosts, parts.backend);
  const definitions = new TaskDefinitions(context, store, arns);
  const tokens = new LaunchTokens(context, store, arns);
  const launcher = new Launcher(context, store, arns, definitions, tasks, tokens);
  const clusters = new Clusters(store, arns);
  const taskOperations = new TaskOperations(context, store, arns, tasks);
  const hostOperations = new HostOperations(store, arns, hosts, tasks);
  const attributes = new Attributes(store, arns, hosts);
  const tags = new TagOperations(store);
  const throttle = createThrottle(context.clock);

  /** A throttled call takes no part in anything else: the real service refuses it at the door. */
  const operation =
    <I, O>(name: string, carryOut: (input: I) => O) =>
    (input: I): Promise<O> =>
      withFaults(context, `ecs.${name}`, undefined, () => {
        throttle(name);
        return context.state.atomically(() => carryOut(input));
      });

  const onHost = (ec2InstanceId: string, act: (host: Host) => void): void => {
    context.state.atomically(() => {
      for (const host of store.hostsOfInstance(ec2InstanceId))
        if (host.record.status !== 'INACTIVE') act(host);
    });
  };

  return {
    service: {
      signingName: 'ecs',
      operations: {
        CreateCluster: operation('CreateCluster', (input: CreateClusterCommandInput) =>
          clusters.create(input),
        ),
        DescribeClusters: operation('DescribeClusters', (input: DescribeClustersCommandInput) =>
          clusters.describe(input),
        ),
        ListClusters: operation('ListClusters', (input: ListClustersCommandInput) => clusters.list(input)),
        DeleteCluster: operation('DeleteCluster', (input: DeleteClusterCommandInput) =>
          clusters.delete(input),
        ),
        RegisterTaskDefinition: operation(
          'RegisterTaskDefinition',
          (input: RegisterTaskDefinitionCommandInput) => definitions.register(input),
        ),
        DescribeTaskDefinition: operation(
          'DescribeTaskDefinition',
          (input: DescribeTaskDefinitionCommandInput) => definitions.describe(input),
        ),
        ListTaskDefinitions: operation('ListTaskDefinitions', (input: ListTaskDefinitionsCommandInput) =>
          definitions.list(input),
        ),
        ListTaskDefinitionFamilies: operation(
          'ListTaskDefinitionFamilies',
          (input: ListTaskDefinitionFamiliesCommandInput) => definitions.listFamilies(input),
        ),
        DeregisterTaskDefinition: operation(
          'DeregisterTaskDefinition',
          (input: DeregisterTaskDefinitionCommandInput) => definitions.deregister(input),
        ),
        RunTask: operation('RunTask', (input: RunTaskCommandInput) => launcher.run(input)),
        StartTask: operation('StartTask', (input: StartTaskCommandInput) => launcher.start(input)),
        StopTask: operation('StopTask', (input: StopTaskCommandInput) => taskOperations.stop(input)),
        DescribeTasks: operation('DescribeTasks', (input: DescribeTasksCommandInput) =>
          taskOperations.describe(input),
        ),
        ListTasks: operation('ListTasks', (input: ListTasksCommandInput) => taskOperations.list(input)),
        DescribeContainerInstances: operation(
          'DescribeContainerInstances',
          (input: DescribeContainerInstancesCommandInput) => hostOperations.describe(input),
        ),
        ListContainerInstances: operation(
          'ListContainerInstances',
          (input: ListContainerInstancesCommandInput) => hostOperations.list(input),
        ),
        RegisterContainerInstance: operation(
          'RegisterContainerInstance',
          (input: RegisterContainerInstanceCommandInput) =>
            registerContainerInstance(store, hosts, arns, input),
        ),
        DeregisterContainerInstance: operation(
          'DeregisterContainerInstance',
          (input: DeregisterContainerInstanceCommandInput) => hostOperations.deregister(input),
        ),
        UpdateContainerInstancesState: operation(
          'UpdateContainerInstancesState',
          (input: UpdateContainerInstancesStateCommandInput) => hostOperations.updateState(input),
        ),
        PutAttributes: operation('PutAttributes', (input: PutAttributesCommandInput) =>
          attributes.put(input),
        ),
        DeleteAttributes: operation('DeleteAttributes', (input: DeleteAttributesCommandInput) =>
          attributes.delete(input),
        ),
        ListAttributes: operation('ListAttributes', (input: ListAttributesCommandInput) =>
          attributes.list(input),
        ),
        TagResource: operation('TagResource', (input: TagResourceCommandInput) => tags.tag(input)),
        UntagResource: operation('UntagResource', (input: UntagResourceCommandInput) => tags.untag(input)),
        ListTagsForResource: operation('ListTagsForResource', (input: ListTagsForResourceCommandInput) =>
          tags.list(input),
        ),
      },
    },
    registerHost(registration, forgotten = false) {
      if (store.clusters.get(registration.cluster)?.status !== 'ACTIVE') return false;
      const host = hosts.register(registration, forgotten);
      tasks.resend(registration.cluster, host.record.id);
      return true;
    },
    agentConnected(ec2InstanceId, connected) {
      onHost(ec2InstanceId, (host) => {
        if (host.agentConnected === connected) return;
        hosts.change(host, { agentConnected: connected });
        if (connected) tasks.resend(host.record.cluster, host.record.id);
      });
    },
    drainHost(ec2InstanceId) {
      onHost(ec2InstanceId, (host) => {
        if (host.record.status === 'ACTIVE') hosts.change(host, { status: 'DRAINING' });
      });
    },
    containerChanged(ec2InstanceId, taskArn, change) {
      onHost(ec2InstanceId, (host) => tasks.containerChanged(host.record.cluster, taskArn, change));
    },
    instanceTerminated(ec2InstanceId) {
      onHost(ec2InstanceId, (host) => {
        tasks.endAll(host.record.cluster, host.liveTaskIds, {
          stopCode: 'TerminationNotice',
          stoppedReason: `Host EC2 (instance ${ec2InstanceId}) terminated.`,
        });
        hosts.deactivate(host);
      });
    },
    liveTasks() {
      const live: { instanceId: string; launch: TaskLaunch }[] = [];
      for (const task of store.tasks()) {
        const launch = task.lastStatus === 'STOPPED' ? undefined : tasks.launchOf(task);
        if (launch !== undefined) live.push({ instanceId: task.ec2InstanceId, launch });
      }
      return live;
    },
    resume() {
      for (const record of [...store.hosts()]) {
        if (record.status !== 'INACTIVE' && record.agentConnected) tasks.resend(record.cluster, record.id);
      }
    },
  };
}
