import type {
  ContainerInstance,
  DeregisterContainerInstanceCommandInput,
  DeregisterContainerInstanceCommandOutput,
  DescribeContainerInstancesCommandInput,
  DescribeContainerInstancesCommandOutput,
  Failure,
  ListContainerInstancesCommandInput,
  ListContainerInstancesCommandOutput,
  UpdateContainerInstancesStateCommandInput,
  UpdateContainerInstancesStateCommandOutput,
} from '@aws-sdk/client-ecs';
import { matches } from '../../layers/domain/placement/query/query.ts';
import { type Arns, lastPart } from './arn.ts';
import { describeHost } from './describeHost.ts';
import { invalidParameter } from './errors.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { Pages } from './pages.ts';
import { parseFilter } from './placement.ts';
import type { EcsStore } from './store.ts';
import type { Tasks } from './tasks.ts';

const MAX_DESCRIBED = 100;
const MAX_UPDATED = 10;

type Output<T> = Omit<T, '$metadata'>;

interface SequencedHost {
  readonly host: Host;
  readonly sequence: number;
}

function* sequenced(hosts: Iterable<Host>): Generator<SequencedHost> {
  for (const host of hosts) yield { host, sequence: host.record.sequence };
}

export class HostOperations {
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly hosts: Hosts;
  private readonly tasks: Tasks;
  private readonly pages = new Pages<SequencedHost>();

  constructor(store: EcsStore, arns: Arns, hosts: Hosts, tasks: Tasks) {
    this.store = store;
    this.arns = arns;
    this.hosts = hosts;
    this.tasks = tasks;
  }

  describe(input: DescribeContainerInstancesCommandInput): Output<DescribeContainerInstancesCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const references = input.containerInstances ?? [];
    if (references.length === 0) throw invalidParameter('Container Instances cannot be empty.');
    if (references.length > MAX_DESCRIBED) {
      throw invalidParameter(`Container Instances cannot have more than ${MAX_DESCRIBED} elements.`);
    }
    const withTags = input.include?.includes('TAGS') === true;
    return this.each(cluster.name, references, (host) => describeHost(this.arns, host, withTags));
  }

  list(input: ListContainerInstancesCommandInput): Output<ListContainerInstancesCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const query = input.filter === undefined || input.filter === '' ? undefined : parseFilter(input.filter);
    const index = this.store.index(cluster.name);
    const pinned = query?.instanceIds;
    const hosts =
      pinned === undefined
        ? index.hosts.values()
        : [...pinned]
            .flatMap((id) => this.store.hostOfInstance(cluster.name, id) ?? [])
            .sort((a, b) => a.record.sequence - b.record.sequence);
    const wanted = ({ host }: SequencedHost): boolean =>
      (input.status === undefined
        ? host.record.status !== 'INACTIVE'
        : host.record.status === input.status) &&
      (query === undefined || matches(query, host));
    const scope = JSON.stringify([cluster.name, input.status, input.filter]);
    const page = this.pages.page(scope, sequenced(hosts), input, wanted);
    return {
      containerInstanceArns: page.items.map(({ host }) =>
        this.arns.containerInstance(cluster.name, host.record.id),
      ),
      nextToken: page.nextToken,
    };
  }

  /** DRAINING takes no new tasks and leaves standalone ones alone: ECS drains tasks of services only. */
  updateState(
    input: UpdateContainerInstancesStateCommandInput,
  ): Output<UpdateContainerInstancesStateCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const references = input.containerInstances ?? [];
    if (references.length === 0) throw invalidParameter('Container instances cannot be empty.');
    if (references.length > MAX_UPDATED) {
      throw invalidParameter(`containerInstances has at most ${MAX_UPDATED} members.`);
    }
    const { status } = input;
    if (status !== 'ACTIVE' && status !== 'DRAINING') {
      throw invalidParameter('Container instance status should be one of [ACTIVE,DRAINING].');
    }
    return this.each(cluster.name, references, (host) => {
      if (host.record.status === 'INACTIVE') return 'INACTIVE';
      if (host.record.status !== status) this.hosts.change(host, { status });
      return describeHost(this.arns, host);
    });
  }

  deregister(
    input: DeregisterContainerInstanceCommandInput,
  ): Output<DeregisterContainerInstanceCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const host = this.store.host(cluster.name, input.containerInstance ?? '');
    if (host === undefined || host.record.status === 'INACTIVE') {
      throw invalidParameter('The referenced container instance was not found.');
    }
    if (host.liveTaskIds.size > 0 && input.force !== true) {
      throw invalidParameter('Found running tasks on the instance.');
    }
    this.tasks.endAll(cluster.name, host.liveTaskIds, {
      stoppedReason: 'Container instance deregistration forced by user',
    });
    this.hosts.deactivate(host);
    return { containerInstance: describeHost(this.arns, host) };
  }

  private each(
    cluster: string,
    references: readonly string[],
    describe: (host: Host) => ContainerInstance | string,
  ): { containerInstances: ContainerInstance[]; failures: Failure[] } {
    const containerInstances: ContainerInstance[] = [];
    const failures: Failure[] = [];
    for (const reference of new Set(references)) {
      const host = this.store.host(cluster, reference);
      const described = host === undefined ? 'MISSING' : describe(host);
      if (typeof described !== 'string') containerInstances.push(described);
      else
        failures.push({ arn: this.arns.containerInstance(cluster, lastPart(reference)), reason: described });
    }
    return { containerInstances, failures };
  }
}
