import type {
  Cluster,
  CreateClusterCommandInput,
  CreateClusterCommandOutput,
  DeleteClusterCommandInput,
  DeleteClusterCommandOutput,
  DescribeClustersCommandInput,
  DescribeClustersCommandOutput,
  ListClustersCommandInput,
  ListClustersCommandOutput,
} from '@aws-sdk/client-ecs';
import { ServiceError } from '../engine/service.ts';
import { type Arns, lastPart } from './arn.ts';
import { tagList } from './describeTask.ts';
import { invalidParameter } from './errors.ts';
import { offsetPage } from './offsetPage.ts';
import type { ClusterRecord } from './records.ts';
import type { EcsStore } from './store.ts';
import { tagsOf } from './tags.ts';

type Output<T> = Omit<T, '$metadata'>;

export class Clusters {
  private readonly store: EcsStore;
  private readonly arns: Arns;

  constructor(store: EcsStore, arns: Arns) {
    this.store = store;
    this.arns = arns;
  }

  /** Creating an active cluster again returns it as it is. */
  create(input: CreateClusterCommandInput): Output<CreateClusterCommandOutput> {
    const name = input.clusterName ?? 'default';
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) throw invalidParameter('Invalid cluster name.');
    if ((input.capacityProviders ?? []).length > 0) {
      throw invalidParameter('Capacity providers are not supported by the embedded AWS.');
    }
    const known = this.store.clusters.get(name);
    if (known?.status === 'ACTIVE') return { cluster: this.describeOne(known) };
    const settings = (input.settings ?? []).map((each) => ({
      name: each.name ?? '',
      value: each.value ?? '',
    }));
    const record: ClusterRecord = { name, status: 'ACTIVE', settings, tags: tagsOf(input.tags) };
    this.store.clusters.set(name, record);
    return { cluster: this.describeOne(record) };
  }

  describe(input: DescribeClustersCommandInput): Output<DescribeClustersCommandOutput> {
    const found: Cluster[] = [];
    const failures: { arn: string; reason: string }[] = [];
    for (const reference of input.clusters ?? ['default']) {
      const record = this.store.clusters.get(lastPart(reference));
      if (record === undefined)
        failures.push({ arn: this.arns.cluster(lastPart(reference)), reason: 'MISSING' });
      else found.push(this.describeOne(record, input.include ?? []));
    }
    return { clusters: found, failures };
  }

  list(input: ListClustersCommandInput): Output<ListClustersCommandOutput> {
    const active = [...this.store.clusters.values()].filter((cluster) => cluster.status === 'ACTIVE');
    const page = offsetPage(
      active.map((cluster) => this.arns.cluster(cluster.name)),
      input,
    );
    return { clusterArns: page.items, nextToken: page.nextToken };
  }

  delete(input: DeleteClusterCommandInput): Output<DeleteClusterCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const { hosts } = this.store.index(cluster.name);
    for (const { record } of hosts.values()) {
      if (record.status === 'INACTIVE') continue;
      throw new ServiceError(
        'ClusterContainsContainerInstancesException',
        'The Cluster cannot be deleted while Container Instances are active or draining.',
      );
    }
    const inactive: ClusterRecord = { ...cluster, status: 'INACTIVE' };
    this.store.clusters.set(cluster.name, inactive);
    return { cluster: this.describeOne(inactive) };
  }

  private describeOne(record: ClusterRecord, include: readonly string[] = []): Cluster {
    const hosts = [...this.store.index(record.name).hosts.values()];
    const sum = (amount: (host: (typeof hosts)[number]) => number): number =>
      hosts.reduce((total, host) => total + amount(host), 0);
    return {
      clusterArn: this.arns.cluster(record.name),
      clusterName: record.name,
      status: record.status,
      registeredContainerInstancesCount: sum((host) => Number(host.record.status !== 'INACTIVE')),
      runningTasksCount: sum((host) => host.runningTasksCount),
      pendingTasksCount: sum((host) => host.pendingTasksCount),
      activeServicesCount: 0,
      statistics: [],
      tags: include.includes('TAGS') ? tagList(record.tags) : [],
      settings: include.includes('SETTINGS')
        ? record.settings.map((each) => ({ name: 'containerInsights' as const, value: each.value }))
        : [],
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    };
  }
}
