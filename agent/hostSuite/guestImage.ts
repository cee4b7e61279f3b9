import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { ensureKernel, type KernelSuite } from './guestKernel.ts';
import { DISK } from './suiteDisk.ts';

export type GuestKind = 'v1' | 'v2' | 'v2-systemd';

export interface Guest {
  readonly kernel: string;
  readonly initramfs: string;
}

/** Printed by a guest when it has booted. */
export const START_MARK = 'BERTH-SUITE-START';
/** Printed by a guest when its suite has ended, before the exit code. */
export const EXIT_MARK = 'BERTH-SUITE-EXIT:';

const DEBIAN = 'bookworm';
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'libstdc++6', 'busybox-static', 'iproute2'];
/** Debian's kernels differ where cgroups are concerned, so that each guest has another. */
const KERNEL_OF: Readonly<Record<GuestKind, KernelSuite>> = {
  v1: 'bookworm',
  v2: 'bookworm-backports',
  'v2-systemd': 'bookworm',
};
const SUITE_ENVIRONMENT = [
  'BERTH_AGENT_ENTRY=/suite/main.cjs',
  'HOME=/tmp',
  'NO_COLOR=1',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
];

/**
 * Of busybox's own, `ip` makes no pairs of interfaces, `tc` shows no counters, `nsenter` runs busybox's first, and `setpriv`
 * leaves the bounding set as it is.
 */
const PROGRAMS = ['/usr/sbin/ip', '/usr/sbin/tc', '/usr/bin/nsenter', '/usr/bin/setpriv'];

const MODULE_OPTIONS: Readonly<Record<string, string>> = {
  'brd.ko': ' rd_nr=2 rd_size=65536',
  // One request at a time, each for 4 ms: whoever writes has to wait for the other.
  'null_blk.ko':
    ' nr_devices=1 gb=1 bs=512 queue_mode=2 submit_queues=1 hw_queue_depth=1 irqmode=2 completion_nsec=4000000',
};
/** Run as root in each guest before the suite: modules, a disk of the guest's own, and swap. */
const prepare = (modules: readonly string[]): string =>
  [
    ...modules
      .map((module) => basename(module))
      .map((name) => `busybox insmod /suite/${name}${MODULE_OPTIONS[name] ?? ''}`),
    'busybox mke2fs -F /dev/ram0 >/dev/null',
    `mkdir -p ${DISK}`,
    `mount -t ext4 /dev/ram0 ${DISK}`,
    'busybox mkswap /dev/ram1 >/dev/null; busybox swapon /dev/ram1',
  ].join('; ');

const V1_CONTROLLERS = ['cpuset', 'cpu', 'cpuacct', 'blkio', 'memory', 'freezer', 'hugetlb', 'pids'];
/** As systemd mounts them: v2's hierarchy beside v1's has the pressure files. */
const MOUNT_CGROUPS: Readonly<Record<'v1' | 'v2', string>> = {
  v1: [
    'mount -t tmpfs cgroup /sys/fs/cgroup',
    ...V1_CONTROLLERS.flatMap((name) => [
      `mkdir /sys/fs/cgroup/${name}`,
      `mount -t cgroup -o ${name} cgroup /sys/fs/cgroup/${name}`,
    ]),
    'mkdir /sys/fs/cgroup/unified; mount -t cgroup2 none /sys/fs/cgroup/unified',
  ].join('; '),
  v2: 'mount -t cgroup2 -o nsdelegate,memory_recursiveprot none /sys/fs/cgroup',
};

/** A guest without systemd: busybox makes the mounts that a container host has, and runs the suite. */
const initOf = (kind: 'v1' | 'v2', modules: readonly string[]): string => `#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
${MOUNT_CGROUPS[kind]}
ip link set lo up
${prepare(modules)}
echo ${START_MARK}
cd /suite; env $SUITE_SETTINGS ${SUITE_ENVIRONMENT.join(' ')} /suite/node /suite/suite.mjs </dev/null
echo "${EXIT_MARK}$?"
sync; reboot -f
`;
const unitOf = (modules: readonly string[]): string => `[Unit]
Description=The suite
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory=/suite
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
${SUITE_ENVIRONMENT.map((line) => `Environment=${line}`).join('\n')}
Environment=BERTH_SUITE_SYSTEMD=1
PassEnvironment=BERTH_SUITE_KILLS BERTH_SUITE_REST_MS
ExecStart=/bin/sh -c 'echo ${START_MARK}; ${prepare(modules)}; /suite/node /suite/suite.mjs; echo "${EXIT_MARK}$?"; systemctl reboot --force --force'
`;

/** The kernel and root of a guest. The slow parts (kernel, Debian root) are made once and kept in `cache`. */
export function guestImage(kind: GuestKind, cache: string, bundles: string): Guest {
  mkdirSync(cache, { recursive: true });
  const { image, modules } = ensureKernel(cache, KERNEL_OF[kind]);
  const root = mkdtempSync(join(tmpdir(), 'berth-guest-'));
  try {
    if (kind === 'v2-systemd') execFileSync('cp', ['-a', `${ensureDebian(cache)}/.`, root]);
    else plainRoot(root, kind, modules);
    addSuite(root, bundles);
    for (const module of modules) copyFileSync(module, join(root, 'suite', basename(module)));
    if (kind === 'v2-systemd') enableSuite(root, modules);
    const initramfs = resolve(cache, `${kind}.cpio`);
    execFileSync('sh', ['-c', `find . | busybox cpio -o -H newc 2>/dev/null >${initramfs}`], { cwd: root });
    return { kernel: image, initramfs };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A minimal Debian with systemd as its first process. */
function ensureDebian(cache: string): string {
  // Another choice of packages is another root.
  const root = resolve(
    cache,
    `debian-${createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8)}`,
  );
  if (existsSync(root)) return root;
  rmSync(`${root}.new`, { recursive: true, force: true });
  const packages = `--include=${PACKAGES.join(',')}`;
  execFileSync('mmdebstrap', ['--variant=minbase', packages, DEBIAN, `${root}.new`], { stdio: 'pipe' });
  for (const cruft of [
    'usr/share/doc',
    'usr/share/locale',
    'usr/share/man',
    'var/cache/apt',
    'var/lib/apt/lists',
  ]) {
    rmSync(join(`${root}.new`, cruft), { recursive: true, force: true });
  }
  renameSync(`${root}.new`, root);
  return root;
}

function plainRoot(root: string, kind: 'v1' | 'v2', modules: readonly string[]): void {
  for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'suite']) mkdirSync(join(root, directory));
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  symlinkSync('busybox', join(root, 'bin/sh'));
  writeFileSync(join(root, 'init'), initOf(kind, modules), { mode: 0o755 });
  for (const program of PROGRAMS) {
    mkdirSync(join(root, dirname(program)), { recursive: true });
    copyFileSync(program, join(root, program));
  }
  for (const program of [process.execPath, ...PROGRAMS]) copyLibraries(program, root);
}

function copyLibraries(program: string, root: string): void {
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const [library] of libraries.matchAll(/\/\S+\.so\S*/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}

function addSuite(root: string, bundles: string): void {
  mkdirSync(join(root, 'suite'), { recursive: true });
  for (const file of readdirSync(bundles))
    copyFileSync(join(bundles, file), join(root, 'suite', basename(file)));
  copyFileSync(process.execPath, join(root, 'suite/node'));
  chmodSync(join(root, 'suite/node'), 0o755);
}

function enableSuite(root: string, modules: readonly string[]): void {
  const units = join(root, 'etc/systemd/system');
  writeFileSync(join(units, 'suite.service'), unitOf(modules));
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  symlinkSync('../suite.service', join(units, 'multi-user.target.wants/suite.service'));
  // A login on the console would take the terminal away from the suite.
  for (const unit of ['serial-getty@ttyS0.service', 'getty.target'])
    symlinkSync('/dev/null', join(units, unit));
  if (!existsSync(join(root, 'init'))) symlinkSync('/lib/systemd/systemd', join(root, 'init'));
}
