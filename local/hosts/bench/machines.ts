import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureKernel } from '../../../agent/hostSuite/guestKernel.ts';
import { taskCgroup } from '../cgroupSlice.ts';
import { aContainer, aTask } from '../hostHarness.ts';
import type { BenchHost } from './benchHost.ts';
import { type Figure, median } from './figures.ts';
import { residentMB } from './overhead.ts';

const CAPACITY_MB = (4 * 1024 ** 3) / 1e6;
const VM_MEMORY_MIB = 96;
const VM_BOUND_MS = 60_000;
const READY = 'VM-READY';

/** Resident memory of the container's own processes and of the shim that carries it. */
function containerMB(host: BenchHost, ecsTaskId: string, containerId: string): number {
  const cgroup = taskCgroup(host.instance.instanceId, ecsTaskId);
  const own = readFileSync(`/sys/fs/cgroup/memory${cgroup}/memory.usage_in_bytes`, 'utf8');
  const shims = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isShim(name, containerId));
  return Number(own) / 1e6 + shims.reduce((sum, pid) => sum + residentMB(Number(pid)), 0);
}

function isShim(pid: string, containerId: string): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return argv[0]?.includes('containerd-shim') === true && argv.includes(containerId);
  } catch {
    // It has just ended.
    return false;
  }
}

/** The same busybox as a virtual machine: Debian's cloud kernel and nothing else. */
function vmImage(): { kernel: string; initramfs: string } {
  const cache = '.cache/host-kernels';
  mkdirSync(cache, { recursive: true });
  const { image } = ensureKernel(cache, 'bookworm');
  const initramfs = resolve(cache, 'tiny.cpio');
  const root = mkdtempSync(join(tmpdir(), 'berth-vm-'));
  mkdirSync(join(root, 'bin'));
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  symlinkSync('busybox', join(root, 'bin/sh'));
  writeFileSync(join(root, 'init'), `#!/bin/sh\necho ${READY}\nexec /bin/busybox sleep 1000\n`, {
    mode: 0o755,
  });
  execFileSync('sh', ['-c', `find . | busybox cpio -o -H newc 2>/dev/null >${initramfs}`], { cwd: root });
  rmSync(root, { recursive: true, force: true });
  return { kernel: image, initramfs };
}

/** Time to the first process, and resident memory then. */
async function bootVm({
  kernel,
  initramfs,
}: {
  kernel: string;
  initramfs: string;
}): Promise<{ ms: number; mb: number }> {
  const startedAt = performance.now();
  const args =
    `-M microvm,pit=on,pic=on,rtc=on,isa-serial=on,accel=tcg -cpu max -m ${VM_MEMORY_MIB} -no-reboot -nodefaults
    -no-user-config -display none -serial stdio -kernel ${kernel} -initrd ${initramfs}`.split(/\s+/);
  const child = spawn(
    'qemu-system-x86_64',
    [...args, '-append', 'console=ttyS0 quiet tsc_early_khz=2000000'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), VM_BOUND_MS);
  try {
    return await new Promise((done, fail) => {
      let output = '';
      child.once('error', fail);
      child.once('exit', () => fail(new Error(`the virtual machine ended: ${output.slice(-500)}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes(READY))
          done({ ms: performance.now() - startedAt, mb: residentMB(child.pid ?? 0) });
      });
    });
  } finally {
    clearTimeout(timer);
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

/** Containers by Berth's way against virtual machines of the same busybox, on this machine. */
export async function machines(host: BenchHost, repeats: number): Promise<Record<string, Figure>> {
  const containers: { ms: number; mb: number }[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const launch = aTask([aContainer()]);
    const startedAt = performance.now();
    const { runtimeId = '' } = await host.run(launch);
    const ms = performance.now() - startedAt;
    containers.push({ ms, mb: containerMB(host, launch.ecsTaskId, runtimeId) });
    await host.stop(launch);
  }
  const figures = sideFigures('container', containers);
  if (!existsSync('/usr/bin/qemu-system-x86_64')) return figures;
  const image = vmImage();
  const vms: { ms: number; mb: number }[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) vms.push(await bootVm(image));
  return { ...figures, ...sideFigures('vm', vms) };
}

function sideFigures(name: string, measured: readonly { ms: number; mb: number }[]): Record<string, Figure> {
  const mb = median(measured.map((each) => each.mb));
  return {
    [`${name}.start`]: { value: median(measured.map((each) => each.ms)), unit: 'ms' },
    [`${name}.memory`]: { value: mb, unit: 'MB' },
    [`${name}.in4GiB`]: { value: Math.floor(CAPACITY_MB / mb), unit: 'instances' },
  };
}
