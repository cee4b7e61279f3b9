import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';

interface Group {
  readonly inode: number;
  readonly files: Map<string, string>;
}

/** What the fake answers to a write instead of carrying it out; undefined: carry it out. */
export type WriteFault = (file: string, value: string) => string | undefined;

const V2_FILES: Readonly<Record<string, string>> = {
  'cpu.weight': '100',
  'cpu.idle': '0',
  'cpu.max': 'max 100000',
  'cpu.max.burst': '0',
  'cpu.stat': 'usage_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0',
  'cpuset.cpus': '',
  'cpuset.cpus.effective': '0-7',
  'cpuset.cpus.exclusive': '',
  'cpuset.cpus.exclusive.effective': '',
  'cpuset.cpus.partition': 'member',
  'memory.min': '0',
  'memory.low': '0',
  'memory.high': 'max',
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'memory.current': '0',
  'memory.oom.group': '0',
  'memory.events': 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0',
  'pids.max': 'max',
  'pids.events': 'max 0',
  'io.weight': 'default 100',
  'io.max': '',
  'cgroup.freeze': '0',
};
const V1_FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cpu: {
    'cpu.shares': '1024',
    'cpu.idle': '0',
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_quota_us': '-1',
    'cpu.cfs_burst_us': '0',
    'cpu.stat': 'nr_periods 0\nnr_throttled 0\nthrottled_time 0',
  },
  cpuset: { 'cpuset.cpus': '0-7' },
  memory: {
    'memory.limit_in_bytes': '9223372036854771712',
    'memory.memsw.limit_in_bytes': '9223372036854771712',
    'memory.soft_limit_in_bytes': '9223372036854771712',
    'memory.usage_in_bytes': '0',
    'memory.memsw.usage_in_bytes': '0',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0',
  },
  pids: { 'pids.max': 'max', 'pids.events': 'max 0' },
  blkio: { 'blkio.throttle.write_bps_device': '' },
  freezer: { 'freezer.state': 'THAWED' },
};
const PRESSURE_FILES = ['cpu.pressure', 'memory.pressure', 'io.pressure'];
const pressureText = (share: number, totalUs: number): string =>
  `some avg10=${(share * 100).toFixed(2)} avg60=0.00 avg300=0.00 total=${totalUs}`;
const totalUsOf = (content: string): number => Number(/total=(\d+)/.exec(content)?.[1] ?? 0);

interface HeldTrigger {
  readonly path: string;
  readonly totalUs: number;
  readonly thresholdUs: number;
  fired: boolean;
}

const NO_LIMIT_V1 = '9223372036854771712';

const failure = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

/**
 * Cgroups in memory for tests. Keeps the kernel's own rules that make write order matter: a burst above its quota, a
 * weight on an idle group, v1's memory above memory+swap and cpusets outside their parent are refused as the kernel
 * refuses them. Counts writes, and fails on demand.
 */
export class FakeCgroupFs implements CgroupFs {
  readonly mounts: CgroupMounts;
  readonly #groups = new Map<string, Group>();
  readonly #watchers = new Map<string, Set<(name: string | undefined) => void>>();
  #nextInode = 1;
  fault: WriteFault = () => undefined;
  /** What a file holds after a write instead of what was written; undefined: that. */
  answer: WriteFault = () => undefined;
  readonly written: string[] = [];
  /** `path=trigger` of each file that is held open. */
  readonly held: string[] = [];
  readonly #triggers = new Set<HeldTrigger>();
  readonly #keepsPressure: boolean;

  /** `pressure`: the kernel keeps PSI for groups; on v1 in cgroup2's hierarchy beside the others. */
  constructor(version: 1 | 2, { pressure = false }: { readonly pressure?: boolean } = {}) {
    this.#keepsPressure = pressure;
    this.mounts =
      version === 2
        ? { version, controllers: new Map(), unified: '/fake', recursiveProtection: true }
        : {
            version,
            controllers: new Map(Object.keys(V1_FILES).map((name) => [name, `/fake/${name}`])),
            ...(pressure ? { unified: '/fake/unified' } : {}),
            recursiveProtection: false,
          };
  }

  get watchCount(): number {
    return [...this.#watchers.values()].reduce((sum, watchers) => sum + watchers.size, 0);
  }

  create(cgroup: string): void {
    for (const [directory, files] of this.#directories(cgroup)) {
      this.#groups.set(directory, { inode: this.#nextInode, files: new Map(Object.entries(files)) });
      this.#nextInode += 1;
    }
    this.#notifyParent(cgroup);
  }

  remove(cgroup: string): void {
    for (const [directory] of this.#directories(cgroup)) {
      this.#groups.delete(directory);
      this.#watchers.delete(directory);
    }
    this.#notifyParent(cgroup);
  }

  /** As another writer, or the kernel, would: no rules, no count; watchers hear of it. */
  set(directory: string, file: string, value: string): void {
    this.#group(`${directory}/${file}`).files.set(file, value);
    for (const changed of this.#watchers.get(directory) ?? []) changed(file);
  }

  /**
   * The group stalls: its average is `share` of the time now, and the total grows by `us`. Triggers whose threshold that
   * passes fire, each once, since nobody polls it.
   */
  stall(cgroup: string, resource: 'cpu' | 'memory' | 'io', share: number, us: number): void {
    const directory = `${this.mounts.unified}${cgroup}`;
    const path = `${directory}/${resource}.pressure`;
    const totalUs = totalUsOf(this.read(path)) + us;
    this.#group(path).files.set(`${resource}.pressure`, pressureText(share, totalUs));
    for (const trigger of [...this.#triggers]) {
      if (trigger.fired || trigger.path !== path || totalUs - trigger.totalUs < trigger.thresholdUs) continue;
      trigger.fired = true;
      this.#notify(path);
    }
  }

  read(path: string): string {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const content = this.#group(path).files.get(file);
    if (content === undefined) throw failure('ENOENT', path);
    return `${content}\n`;
  }

  write(path: string, value: string): void {
    const cut = path.lastIndexOf('/');
    const [directory, file] = [path.slice(0, cut), path.slice(cut + 1)];
    const { files } = this.#group(path);
    if (!files.has(file)) throw failure('ENOENT', path);
    this.written.push(`${path}=${value}`);
    const code = this.fault(file, value) ?? this.#refusal(directory, files, file, value);
    if (code !== undefined) throw failure(code, path);
    files.set(file, this.answer(file, value) ?? normal(file, value, files.get(file) ?? ''));
    for (const changed of this.#watchers.get(directory) ?? []) changed(file);
  }

  /** A trigger, which is not the file's content. To watchers its writing looks as its firing does. */
  hold(path: string, value: string): () => void {
    const totalUs = totalUsOf(this.read(path));
    const code = this.fault(path.slice(path.lastIndexOf('/') + 1), value);
    if (code !== undefined) throw failure(code, path);
    const line = `${path}=${value}`;
    const trigger = { path, totalUs, thresholdUs: Number(value.split(' ')[1]), fired: false };
    this.held.push(line);
    this.#triggers.add(trigger);
    this.#notify(path);
    return () => {
      // As a descriptor: closed twice, it would be another's.
      if (!this.#triggers.delete(trigger)) throw failure('EBADF', path);
      this.held.splice(this.held.indexOf(line), 1);
    };
  }

  list(directory: string): string[] {
    const prefix = `${directory}/`;
    return [...this.#groups.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  inode(directory: string): number | undefined {
    return this.#groups.get(directory)?.inode;
  }

  watch(directory: string, changed: (name: string | undefined) => void): () => void {
    if (!this.#groups.has(directory)) throw failure('ENOENT', directory);
    const watchers = this.#watchers.get(directory) ?? new Set();
    watchers.add(changed);
    this.#watchers.set(directory, watchers);
    return () => watchers.delete(changed);
  }

  #group(path: string): Group {
    const group = this.#groups.get(path.slice(0, path.lastIndexOf('/')));
    if (group === undefined) throw failure('ENOENT', path);
    return group;
  }

  #notify(path: string): void {
    const cut = path.lastIndexOf('/');
    for (const changed of this.#watchers.get(path.slice(0, cut)) ?? []) changed(path.slice(cut + 1));
  }

  #directories(cgroup: string): [string, Readonly<Record<string, string>>][] {
    const calm = Object.fromEntries(PRESSURE_FILES.map((file) => [file, pressureText(0, 0)]));
    const pressure = this.#keepsPressure ? calm : {};
    if (this.mounts.version === 2) return [[`/fake${cgroup}`, { ...V2_FILES, ...pressure }]];
    const controllers = Object.entries(V1_FILES).map(
      ([name, files]): [string, Readonly<Record<string, string>>] => [`/fake/${name}${cgroup}`, files],
    );
    return this.#keepsPressure ? [...controllers, [`/fake/unified${cgroup}`, pressure]] : controllers;
  }

  #notifyParent(cgroup: string): void {
    const cut = cgroup.lastIndexOf('/');
    for (const [directory] of this.#directories(cgroup.slice(0, cut))) {
      for (const changed of this.#watchers.get(directory) ?? []) changed(cgroup.slice(cut + 1));
    }
  }

  #refusal(
    directory: string,
    files: ReadonlyMap<string, string>,
    file: string,
    value: string,
  ): string | undefined {
    const number = (name: string): number => {
      const first = (files.get(name) ?? '').split(' ')[0] ?? '';
      return first === 'max' || Number(first) < 0 ? Infinity : Number(first);
    };
    const wanted =
      value.split(' ')[0] === 'max' || Number(value.split(' ')[0]) < 0
        ? Infinity
        : Number(value.split(' ')[0]);
    switch (file) {
      case 'cpu.weight':
      case 'cpu.shares':
        return files.get('cpu.idle') === '1' ? 'EINVAL' : undefined;
      case 'cpu.max':
        return wanted < number('cpu.max.burst') ? 'EINVAL' : undefined;
      case 'cpu.max.burst':
        return wanted > number('cpu.max') ? 'EINVAL' : undefined;
      case 'cpu.cfs_quota_us':
        return wanted < number('cpu.cfs_burst_us') ? 'EINVAL' : undefined;
      case 'cpu.cfs_burst_us':
        return wanted > number('cpu.cfs_quota_us') ? 'EINVAL' : undefined;
      case 'memory.limit_in_bytes':
        return wanted > number('memory.memsw.limit_in_bytes') ? 'EINVAL' : undefined;
      case 'memory.memsw.limit_in_bytes':
        return wanted < number('memory.limit_in_bytes') ? 'EINVAL' : undefined;
      case 'cpuset.cpus':
        return this.mounts.version === 1 ? this.#cpusetRefusal(directory, value) : undefined;
      default:
        return undefined;
    }
  }

  #cpusetRefusal(directory: string, value: string): string | undefined {
    const set = (list: string): Set<number> => new Set(expand(list));
    const parent = this.#groups.get(directory.slice(0, directory.lastIndexOf('/')))?.files.get('cpuset.cpus');
    const wanted = set(value);
    if (parent !== undefined && !within(wanted, set(parent))) return 'EACCES';
    for (const child of this.list(directory)) {
      const cpus = this.#groups.get(`${directory}/${child}`)?.files.get('cpuset.cpus') ?? '';
      if (!within(set(cpus), wanted)) return 'EBUSY';
    }
    return undefined;
  }
}

const within = (inner: ReadonlySet<number>, outer: ReadonlySet<number>): boolean =>
  [...inner].every((cpu) => outer.has(cpu));

function expand(list: string): number[] {
  return list.split(',').flatMap((part) => {
    if (part === '') return [];
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The kernel's own spelling of what was written. */
function normal(file: string, value: string, before: string): string {
  if (file === 'cpu.max' && !value.includes(' ')) return `${value} ${before.split(' ')[1] ?? '100000'}`;
  if (value === '-1' && file.startsWith('memory.')) return NO_LIMIT_V1;
  return value;
}
