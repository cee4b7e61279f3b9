import { execFileSync } from 'node:child_process';
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

import { DISK } from './guestDisk.ts';

export type GuestKind = 'v2' | 'v2-systemd';

export interface Guest {
  readonly kernel: string;
  readonly initramfs: string;
}

/** Printed by a guest when its suite has ended, before the exit code. */
export const EXIT_MARK = 'BERTH-SUITE-EXIT:';

const DEBIAN = 'bookworm';
const SUITE_ENVIRONMENT = [
  'BERTH_AGENT_ENTRY=/suite/main.mjs',
  'HOME=/tmp',
  'NO_COLOR=1',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
];

/** The guests' own disk, a RAM disk, for limits on I/O: Debian's kernel has it as a module. */
const DISK_MODULE = 'kernel/drivers/block/brd.ko';
/** Run as root in both guests before the suite. */
const MAKE_DISK = [
  'busybox insmod /suite/brd.ko rd_nr=1 rd_size=65536',
  'busybox mke2fs -F /dev/ram0 >/dev/null',
  `mkdir -p ${DISK}`,
  `mount -t ext4 /dev/ram0 ${DISK}`,
].join('; ');

/** A guest without systemd: busybox makes the mounts that a container host has, and runs the suite. */
const INIT = `#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
${MAKE_DISK}
cd /suite; env $SUITE_SETTINGS ${SUITE_ENVIRONMENT.join(' ')} /suite/node /suite/suite.mjs </dev/null
echo "${EXIT_MARK}$?"
sync; reboot -f
`;
const UNIT = `[Unit]
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
ExecStart=/bin/sh -c '${MAKE_DISK}; /suite/node /suite/suite.mjs; echo "${EXIT_MARK}$?"; systemctl reboot --force --force'
`;

/** The kernel and root of a guest. The slow parts (kernel, Debian root) are made once and kept in `cache`. */
export function guestImage(kind: GuestKind, cache: string, bundles: string): Guest {
  mkdirSync(cache, { recursive: true });
  const { kernel, diskModule } = ensureKernel(cache);
  const root = mkdtempSync(join(tmpdir(), 'berth-guest-'));
  try {
    if (kind === 'v2-systemd') execFileSync('cp', ['-a', `${ensureDebian(cache)}/.`, root]);
    else plainRoot(root);
    addSuite(root, bundles);
    copyFileSync(diskModule, join(root, 'suite/brd.ko'));
    if (kind === 'v2-systemd') enableSuite(root);
    const initramfs = resolve(cache, `${kind}.cpio`);
    execFileSync('sh', ['-c', `find . | busybox cpio -o -H newc 2>/dev/null >${initramfs}`], { cwd: root });
    return { kernel, initramfs };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Debian's kernel for clouds and the module of the guests' disk, taken out of their package. */
export function ensureKernel(cache: string): { readonly kernel: string; readonly diskModule: string } {
  const [kernel, diskModule] = [resolve(cache, 'vmlinuz'), resolve(cache, 'brd.ko')];
  if (existsSync(kernel) && existsSync(diskModule)) return { kernel, diskModule };
  const work = mkdtempSync(join(tmpdir(), 'berth-kernel-'));
  try {
    const depends = execFileSync('apt-cache', ['depends', 'linux-image-cloud-amd64'], { encoding: 'utf8' });
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined) throw new Error('apt knows no linux-image-cloud-amd64: run `apt-get update`');
    execFileSync('apt-get', ['download', '-q', name], { cwd: work, stdio: 'pipe' });
    const [deb = ''] = readdirSync(work);
    execFileSync('dpkg', ['-x', join(work, deb), join(work, 'root')]);
    const version = name.replace('linux-image-', '');
    for (const [from, to] of [
      [`lib/modules/${version}/${DISK_MODULE}`, diskModule],
      [`boot/vmlinuz-${version}`, kernel],
    ] as const) {
      copyFileSync(join(work, 'root', from), `${to}.new`);
      renameSync(`${to}.new`, to);
    }
    return { kernel, diskModule };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A minimal Debian with systemd as its first process. */
function ensureDebian(cache: string): string {
  const root = resolve(cache, 'debian');
  if (existsSync(root)) return root;
  rmSync(`${root}.new`, { recursive: true, force: true });
  const packages = '--include=systemd,systemd-sysv,dbus,libstdc++6,busybox-static';
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

function plainRoot(root: string): void {
  for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'suite']) mkdirSync(join(root, directory));
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  symlinkSync('busybox', join(root, 'bin/sh'));
  writeFileSync(join(root, 'init'), INIT, { mode: 0o755 });
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
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

function enableSuite(root: string): void {
  const units = join(root, 'etc/systemd/system');
  writeFileSync(join(units, 'suite.service'), UNIT);
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true });
  symlinkSync('../suite.service', join(units, 'multi-user.target.wants/suite.service'));
  // A login on the console would take the terminal away from the suite.
  for (const unit of ['serial-getty@ttyS0.service', 'getty.target'])
    symlinkSync('/dev/null', join(units, unit));
  if (!existsSync(join(root, 'init'))) symlinkSync('/lib/systemd/systemd', join(root, 'init'));
}
