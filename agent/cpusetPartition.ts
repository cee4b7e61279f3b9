import { parseCpuList } from '../layers/domain/isolation/topology.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';

/**
 * Where cpuset partitions are legal below ECS's group (kernel documentation, admin-guide/cgroup-v2): below another
 * partition, or since kernel 6.7 below a group that has CPUs to give away exclusively. Neither is the agent's to bring
 * about, since ECS's group belongs to the host's operator.
 */
export class CpusetPartitions {
  readonly #fs: CgroupFs;
  readonly #mounts: CgroupMounts;
  readonly #parent: string;

  constructor(fs: CgroupFs, mounts: CgroupMounts, parent: string) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#parent = parent;
  }

  /** Why no task can have its CPUs as a partition now; undefined when one can. */
  obstacle(): string | undefined {
    if (this.#mounts.version === 1) return 'cgroup v1 has none';
    const state = this.#read('cpuset.cpus.partition');
    if (state === undefined) return `the cpuset controller is off in ${this.#parent}`;
    if (isPartition(state)) return undefined;
    const exclusive = this.#read('cpuset.cpus.exclusive.effective');
    if (exclusive === undefined)
      return `${this.#parent} is none (${state}), and this kernel asks that it be one`;
    if (exclusive !== '') return undefined;
    return `${this.#parent} is none (${state}), and names no CPUs in cpuset.cpus.exclusive`;
  }

  /** The CPUs that partitions may be made of, those that are partitions already among them. */
  candidates(): readonly number[] {
    const parentIsOne = isPartition(this.#read('cpuset.cpus.partition') ?? '');
    const file = parentIsOne ? 'cpuset.cpus.effective' : 'cpuset.cpus.exclusive.effective';
    return [...parseCpuList(this.#read(file) ?? ''), ...this.taken()];
  }

  /** CPUs that tasks have as partitions, which the kernel no longer shows as the parent's own. */
  taken(): number[] {
    const directory = controllerDirectory(this.#mounts, 'cpuset', this.#parent);
    if (this.#mounts.version === 1 || directory === undefined) return [];
    return this.#fs
      .list(directory)
      .filter((name) => this.holds(`${this.#parent}/${name}`))
      .flatMap((name) => parseCpuList(this.#read('cpuset.cpus.effective', `/${name}`) ?? ''));
  }

  /** Whether the group's CPUs are a partition already. */
  holds(cgroup: string): boolean {
    return isPartition(this.#read('cpuset.cpus.partition', cgroup.slice(this.#parent.length)) ?? '');
  }

  #read(file: string, below = ''): string | undefined {
    const directory = controllerDirectory(this.#mounts, 'cpuset', this.#parent + below);
    try {
      return this.#fs.read(`${directory}/${file}`).trim();
    } catch {
      // Not in this kernel, or the controller is off there.
      return undefined;
    }
  }
}

/** A partition that has become invalid has the reason behind its kind. */
const isPartition = (state: string): boolean => state === 'root' || state === 'isolated';
