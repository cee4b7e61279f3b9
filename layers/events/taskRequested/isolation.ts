import * as v from 'valibot';
import { sentence } from '../parseStrict.ts';
import { text, whole, yesNo } from './fields.ts';

const MAX_MIB = 32 * 1024 * 1024;
const MAX_BYTES_PER_SECOND = 100_000_000_000;
const leaveOut = 'Leave it out to let it follow from the class and the request.';

const mib = (what: string) => v.exactOptional(whole(0, MAX_MIB, `MiB, ${what}`, leaveOut));
const weight = (what: string) => v.exactOptional(whole(1, 10_000, what, leaveOut));
const rate = (what: string) =>
  v.exactOptional(whole(1, MAX_BYTES_PER_SECOND, what, 'Leave it out for no limit.'));
const section = <E extends v.ObjectEntries>(entries: E) =>
  v.exactOptional(
    v.pipe(
      v.strictObject(entries),
      v.description(`an object with ${Object.keys(entries).join(', ')}`),
      v.metadata({ fix: leaveOut }),
    ),
  );

const memory = v.exactOptional(
  v.pipe(
    v.strictObject({
      maxMiB: v.exactOptional(whole(4, MAX_MIB, 'MiB, above which the task is out of memory', leaveOut)),
      highMiB: mib('above which the task is slowed down and reclaimed from'),
      lowMiB: mib('kept for the task while others can give'),
      minMiB: mib('kept for the task in any case'),
      swapMaxMiB: mib('of swap'),
      oomGroup: v.exactOptional(yesNo('the whole task ends when one of its processes runs out of memory')),
    }),
    v.check(
      ({ minMiB, lowMiB, highMiB, maxMiB }) => {
        const given = [minMiB, lowMiB, highMiB, maxMiB].filter((each) => each !== undefined);
        return given.every((each, index) => index === 0 || (given[index - 1] ?? 0) <= each);
      },
      sentence(
        'isolation.memory must have minMiB <= lowMiB <= highMiB <= maxMiB.',
        'Put the ones that are given in that order.',
      ),
    ),
    v.description('an object with maxMiB, highMiB, lowMiB, minMiB, swapMaxMiB and oomGroup'),
    v.metadata({ fix: leaveOut }),
  ),
);

/** Wire form of `IsolationProfile`; what the class makes of absent knobs is decided in `domain/isolation`. */
export const isolation = v.pipe(
  v.strictObject({
    qos: v.exactOptional(
      v.pipe(
        v.picklist(['guaranteed', 'burstable', 'best-effort']),
        v.description('guaranteed, burstable or best-effort'),
        v.metadata({ fix: 'Leave it out for burstable.' }),
      ),
      'burstable',
    ),
    strict: v.exactOptional(yesNo('wait rather than run where the kernel lacks a knob named here')),
    cpu: section({
      weight: weight('the share of contended CPU; 100 is one vCPU'),
      limitUnits: v.exactOptional(whole(2, 1_048_576, 'CPU units (1024 = one CPU)', leaveOut)),
      burstUs: v.exactOptional(whole(0, 1_000_000, 'microseconds saved up per period', leaveOut)),
      pinned: v.exactOptional(yesNo('whole cores for this task alone')),
      partition: v.exactOptional(
        v.pipe(
          v.picklist(['root', 'isolated']),
          v.description(
            'root (nothing else on the host runs there) or isolated (nor does the scheduler balance)',
          ),
          v.metadata({ fix: 'Leave it out for pinned CPUs that only the host itself may use besides.' }),
        ),
      ),
    }),
    memory,
    io: section({
      weight: weight('the share of contended I/O'),
      readBytesPerSecond: rate('bytes read per second'),
      writeBytesPerSecond: rate('bytes written per second'),
      readIops: rate('reads per second'),
      writeIops: rate('writes per second'),
      path: v.exactOptional(
        text(
          /^\/[^\0]{0,1023}$/,
          'an absolute path on the limited device',
          'Leave it out for the container root.',
        ),
      ),
    }),
    pids: section({ max: whole(1, 4_194_304, 'processes and threads', 'For example 256.') }),
    network: section({
      egressMbps: whole(1, 400_000, 'megabits per second', 'Leave network out for no limit.'),
    }),
    hugetlb: v.exactOptional(
      v.pipe(
        v.record(
          v.pipe(v.string(), v.regex(/^[1-9][0-9]*(KB|MB|GB)$/)),
          v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 45)),
        ),
        v.maxEntries(8),
        v.description('bytes by page size'),
        v.metadata({ fix: 'For example {"2MB": 4194304}.' }),
      ),
    ),
  }),
  v.description('an object with qos, strict, cpu, memory, io, pids, network and hugetlb'),
  v.metadata({ fix: 'Leave it out for the class burstable.' }),
);
