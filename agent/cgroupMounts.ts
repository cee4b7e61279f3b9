/** Where the kernel's cgroup hierarchies are mounted. */
export interface CgroupMounts {
  /** 2 only when the unified hierarchy carries the resource controllers; a hybrid machine counts as 1. */
  readonly version: 1 | 2;
  /**
   * v1: mount point by controller name (`cpu`, `memory`, ...; named hierarchies as `name=systemd`).
   * v2: empty.
   */
  readonly controllers: ReadonlyMap<string, string>;
  /** Mount point of cgroup2: the root on v2, the side hierarchy (pressure files, hugetlb) on a hybrid machine. */
  readonly unified?: string;
  /** Whether what a group is promised of memory reaches the groups below it by itself (`memory_recursiveprot`). */
  readonly recursiveProtection: boolean;
}

/** Options of a v1 mount that are not names of controllers. */
const MOUNT_FLAGS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix']);

/** The controllers without which a v1 machine cannot carry tasks. */
const REQUIRED = ['cpu', 'memory'];

const unescapeOctal = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * Reads `/proc/self/mountinfo` (proc(5)). The first mount of a hierarchy wins: later ones are bind mounts.
 * Throws when neither version is usable.
 */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  let recursiveProtection = false;
  for (const line of mountinfo.split('\n')) {
    const separator = line.indexOf(' - ');
    if (separator < 0) continue;
    const mountPoint = line.slice(0, separator).split(' ')[4];
    const [type, , superOptions] = line.slice(separator + 3).split(' ');
    if (mountPoint === undefined) continue;
    if (type === 'cgroup2' && unified === undefined) {
      unified = unescapeOctal(mountPoint);
      recursiveProtection = superOptions?.split(',').includes('memory_recursiveprot') === true;
    }
    if (type !== 'cgroup') continue;
    for (const option of (superOptions ?? '').split(',')) {
      if (MOUNT_FLAGS.has(option) || option.startsWith('release_agent=')) continue;
      if (!controllers.has(option)) controllers.set(option, unescapeOctal(mountPoint));
    }
  }
  if (REQUIRED.every((name) => controllers.has(name))) {
    return { version: 1, controllers, recursiveProtection, ...(unified === undefined ? {} : { unified }) };
  }
  if (unified !== undefined) return { version: 2, controllers: new Map(), unified, recursiveProtection };
  throw new Error(
    'No cgroup hierarchy with cpu and memory is mounted. Mount cgroup2 on /sys/fs/cgroup (or the v1 controllers below it).',
  );
}

/** Every directory that stands for the cgroup `path` (e.g. `/berth/i-1`), one per distinct hierarchy. */
export function cgroupDirectories(mounts: CgroupMounts, path: string): string[] {
  const roots = new Set(mounts.controllers.values());
  if (mounts.unified !== undefined) roots.add(mounts.unified);
  return [...roots].map((root) => root + path);
}

/** The directory whose files of `controller` govern the cgroup `path`, or undefined where the host lacks it. */
export function controllerDirectory(
  mounts: CgroupMounts,
  controller: string,
  path: string,
): string | undefined {
  const root = mounts.version === 2 ? mounts.unified : mounts.controllers.get(controller);
  return root === undefined ? undefined : root + path;
}
