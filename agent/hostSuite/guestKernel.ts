import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

/** Whose kernel for clouds: Debian 12 has 6.1, its backports have 6.12, with cpuset partitions of any depth. */
export type KernelSuite = 'bookworm' | 'bookworm-backports';

export interface Kernel {
  readonly image: string;
  /** Modules to be loaded in a guest before the suite, in this order. */
  readonly modules: readonly string[];
}

/** RAM disks for limits on I/O and for swap, a slow disk and a scheduler for its shares, and for limits on traffic a pair of
 * interfaces and a token bucket.
 */
const MODULES = [
  'drivers/block/brd.ko',
  'fs/configfs/configfs.ko',
  'drivers/block/null_blk/null_blk.ko',
  'block/bfq.ko',
  'drivers/net/veth.ko',
  'net/sched/sch_tbf.ko',
];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's kernel for clouds and the modules that the guests need, taken out of their package once. */
export function ensureKernel(cache: string, suite: KernelSuite): Kernel {
  // Another choice of modules is another kernel.
  const choice = createHash('sha256').update(MODULES.join()).digest('hex').slice(0, 8);
  const directory = resolve(cache, `kernel-${suite}-${choice}`);
  if (!existsSync(directory)) {
    rmSync(`${directory}.new`, { recursive: true, force: true });
    mkdirSync(`${directory}.new`, { recursive: true });
    unpack(fetchPackage(resolve(cache, `apt-${suite}`), suite), `${directory}.new`);
    renameSync(`${directory}.new`, directory);
  }
  return {
    image: join(directory, 'vmlinuz'),
    modules: MODULES.map((module) => join(directory, basename(module))),
  };
}

/** Apt with lists of its own, so that the machine's are neither needed nor changed. Returns the package's path. */
function fetchPackage(directory: string, suite: KernelSuite): string {
  for (const part of ['sources', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(directory, part), { recursive: true });
  const source = ['Types: deb', `URIs: ${debianMirror()}`, `Suites: ${suite}`, 'Components: main'];
  writeFileSync(
    join(directory, 'sources/debian.sources'),
    `${[...source, `Signed-By: ${KEYRING}`].join('\n')}\n`,
  );
  const own = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${directory}/sources`,
    `Dir::State::Lists=${directory}/lists`,
    `Dir::Cache=${directory}/cache`,
    // Else apt leaves the download to a user who may not write here.
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  execFileSync('apt-get', [...own, 'update', '-qq'], { stdio: 'pipe' });
  const depends = execFileSync('apt-cache', [...own, 'depends', 'linux-image-cloud-amd64'], {
    encoding: 'utf8',
  });
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`${suite} has no linux-image-cloud-amd64`);
  execFileSync('apt-get', [...own, 'download', '-qq', name], { cwd: directory, stdio: 'pipe' });
  const deb = readdirSync(directory).find((file) => file.endsWith('.deb')) ?? '';
  return join(directory, deb);
}

/** Where this machine takes Debian from. */
function debianMirror(): string {
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' });
  const mirror = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) throw new Error('apt has no mirror of Debian to take a kernel from');
  return mirror;
}

function unpack(deb: string, target: string): void {
  const work = mkdtempSync(join(tmpdir(), 'berth-kernel-'));
  try {
    execFileSync('dpkg', ['-x', deb, work]);
    const [version = ''] = readdirSync(join(work, 'lib/modules'));
    copyFileSync(join(work, `boot/vmlinuz-${version}`), join(target, 'vmlinuz'));
    for (const module of MODULES) {
      const from = join(work, 'lib/modules', version, 'kernel', module);
      // Newer packages have them compressed, which not every insmod reads.
      if (existsSync(`${from}.xz`)) execFileSync('xz', ['-d', `${from}.xz`]);
      copyFileSync(from, join(target, basename(module)));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
