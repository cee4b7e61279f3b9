import { spawn } from 'node:child_process';
import { EXIT_MARK, type Guest, START_MARK } from './guestImage.ts';

const MEMORY_MIB = 1536;
/** One for a partition, one for other tasks of the slice, one for the host. */
const CPUS = 3;
/** Emulated by QEMU 7.2, the instruction that cx16 stands for loses its way in kernel 6.12's allocator of memory. */
const CPU = 'max,-cx16';
/** Of 2 MB, for limits on them. */
const HUGE_PAGES = 16;

/** Emulated kernels at times hang while they boot, the more other work the machine has: those are booted anew. */
const BOOT_BOUND_MS = 120_000;
const BOOTS = 3;

export interface GuestRun {
  /** Of the suite; undefined when the guest ended without telling. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** Boots a guest, again when it hangs before its suite begins, and lets the suite run. */
export async function runGuest(
  guest: Guest,
  settings: Readonly<Record<string, string>>,
  boundMs: number,
  onLine: (line: string) => void,
): Promise<GuestRun> {
  let run = await bootGuest(guest, settings, boundMs, onLine);
  for (let boots = 1; boots < BOOTS && !run.output.includes(START_MARK); boots += 1)
    run = await bootGuest(guest, settings, boundMs, onLine);
  return run;
}

/**
 * Boots a guest and lets its suite run, emulated: KVM inside a virtual machine hangs on some clouds, and the suite asks for
 * counters, not for speed. Killed after `boundMs`.
 */
function bootGuest(
  guest: Guest,
  settings: Readonly<Record<string, string>>,
  boundMs: number,
  onLine: (line: string) => void,
): Promise<GuestRun> {
  const passed = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const append = [
    'console=ttyS0 loglevel=1 panic=-1 reboot=t tsc_early_khz=2000000 systemd.show_status=0',
    `hugepages=${HUGE_PAGES}`,
    // Unknown words with a value become variables of the first process.
    ...passed,
    ...passed.map((each) => `systemd.setenv=${each}`),
  ].join(' ');
  const args = [
    ['-M', 'microvm,pit=on,pic=on,rtc=on,isa-serial=on,accel=tcg', '-cpu', CPU],
    ['-m', String(MEMORY_MIB), '-smp', String(CPUS), '-no-reboot', '-nodefaults', '-no-user-config'],
    [
      '-display',
      'none',
      '-serial',
      'stdio',
      '-kernel',
      guest.kernel,
      '-initrd',
      guest.initramfs,
      '-append',
      append,
    ],
  ].flat();
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), boundMs);
    let output = '';
    const boot = setTimeout(() => {
      if (!output.includes(START_MARK)) child.kill('SIGKILL');
    }, BOOT_BOUND_MS);
    let told = 0;
    const read = (text: string): void => {
      output += text.replaceAll('\r', '');
      const lines = output.split('\n');
      for (const line of lines.slice(told, -1)) onLine(line);
      told = lines.length - 1;
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
    child.once('error', (error) => {
      clearTimeout(timer);
      clearTimeout(boot);
      reject(
        new Error(
          `QEMU did not start: ${error.message}. Install it with \`apt-get install qemu-system-x86\`.`,
        ),
      );
    });
    child.once('close', () => {
      clearTimeout(timer);
      clearTimeout(boot);
      const code = new RegExp(`${EXIT_MARK}(\\d+)`).exec(output)?.[1];
      resolve({ exitCode: code === undefined ? undefined : Number(code), output });
    });
  });
}
