import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { eventually, STANDS_BOUND_MS } from './agentUnderTest.ts';
import { writtenBytes } from './diskEffect.ts';
import type { EcsTask } from './ecsTask.ts';
import type { EffectsWorld } from './effects.ts';

/** The guest's slow disk (`guestImage`), which keeps nothing. */
const NAME = 'nullb0';
const QUEUE = `/sys/block/${NAME}/queue`;
const ROOT = '/sys/fs/cgroup';
const MIB = 2 ** 20;
const LIGHT: IsolationProfile = { qos: 'burstable', io: { weight: 25 } };
const HEAVY: IsolationProfile = { qos: 'burstable', io: { weight: 500 } };
/** The whole disk, which takes a minute. */
const WRITE = `dd if=/dev/zero of=/dev/${NAME} bs=64k oflag=direct`;
const MEASURED_BYTES = 12 * MIB;

interface Way {
  readonly name: string;
  readonly skip: string | false;
  /** The heavy one writes at least this many times what the light one does: no accident, and room for what it gets wrong. */
  readonly minRatio: number;
  /** What the two tasks' files hold, light and heavy. */
  readonly values: readonly [file: string, light: string, heavy: string];
  begin(): void;
  end(): void;
}

const scheduler = (name: string): void => writeFileSync(`${QUEUE}/scheduler`, name);
const device = (): string => readFileSync(`/sys/block/${NAME}/dev`, 'utf8').trim();

const bfq: Pick<Way, 'begin' | 'end'> = {
  begin: () => {
    scheduler('bfq');
    // Shares alone: nothing new has many times its weight for a while, and the disk waits for whoever's turn it is.
    const knobs = { low_latency: 0, strict_guarantees: 1, slice_idle_us: 50_000, max_budget: 512 };
    for (const [knob, value] of Object.entries(knobs))
      writeFileSync(`${QUEUE}/iosched/${knob}`, String(value));
  },
  end: () => scheduler('none'),
};
const iocost: Pick<Way, 'begin' | 'end'> = {
  begin: () => {
    // A disk of four megabytes a second, whatever it could do, at a steady pace.
    const each = 'rbps=4194304 rseqiops=10000 rrandiops=10000 wbps=4194304 wseqiops=10000 wrandiops=10000';
    writeFileSync(`${ROOT}/io.cost.model`, `${device()} ctrl=user model=linear ${each}`);
    const pace = 'rpct=0 rlat=100000 wpct=0 wlat=100000 min=100 max=100';
    writeFileSync(`${ROOT}/io.cost.qos`, `${device()} enable=1 ctrl=user ${pace}`);
  },
  end: () => writeFileSync(`${ROOT}/io.cost.qos`, `${device()} enable=0`),
};

/** What a disk that is shared by weight gives to two tasks that write as much as they can. */
export function ioWeightEffects({ agent, version, skip, withTask }: EffectsWorld): void {
  const capability = async (): Promise<string | undefined> => (await agent.report()).capabilities.ioWeight;
  const ways: readonly Way[] = [
    {
      name: 'BFQ',
      skip: version === 2 && 'iocost shows it: emulated, BFQ of 6.12 kept to no weight',
      // Of 5.4, on its scale.
      minRatio: 1.5,
      values: ['blkio.bfq.weight', '25', '136'],
      ...bfq,
    },
    {
      name: 'iocost',
      skip: version === 1 && 'iocost is of cgroup v2',
      // Of 20.
      minRatio: 8,
      values: ['io.weight', 'default 25', 'default 500'],
      ...iocost,
    },
  ];

  for (const { name, skip: lacks, minRatio, values, begin, end } of ways) {
    test(`two writers share a disk by their weights, with ${name}`, { skip: lacks || skip }, async () => {
      assert.match((await capability()) ?? '', /^no/);
      begin();
      try {
        await withTask(LIGHT, (light) =>
          withTask(HEAVY, async (heavy) => {
            const [file, lightly, heavily] = values;
            await eventually(() => {
              const read = (task: EcsTask): string => task.read(version === 2 ? 'io' : 'blkio', file);
              assert.deepEqual([read(light), read(heavy)], [lightly, heavily]);
            }, STANDS_BOUND_MS);
            assert.equal(await capability(), `partial: on ${NAME} alone`);
            for (const task of [light, heavy]) task.start(WRITE);
            const written = (): number[] =>
              [light, heavy].map((task) => writtenBytes(task, version, 'blkio.bfq.io_service_bytes'));
            await eventually(() => assert.ok(Math.min(...written()) > 0), 30_000);
            const [lightFrom = 0, heavyFrom = 0] = written();
            const grown = (): number => (written()[1] ?? 0) - heavyFrom;
            await eventually(() => assert.ok(grown() > MEASURED_BYTES), 60_000);
            const [lightTo = 0, heavyTo = 0] = written();
            const ratio = (heavyTo - heavyFrom) / Math.max(1, lightTo - lightFrom);
            assert.ok(ratio > minRatio, `the heavy one wrote ${ratio.toFixed(1)} times as much`);
          }),
        );
      } finally {
        end();
      }
    });
  }
}
