import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACT_AT } from '../../layers/domain/isolation/pressureLadder.ts';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { KernelCgroupFs } from '../cgroupFs.ts';
import type { CgroupMounts } from '../cgroupMounts.ts';
import { readPressure } from '../pressure.ts';
import { PressureTriggers } from '../pressureTriggers.ts';
import { LADDER_MS } from '../pressureWatch.ts';
import { type AgentUnderTest, eventually } from './agentUnderTest.ts';
import type { EcsTask } from './ecsTask.ts';

export interface TriggersWorld {
  readonly agent: AgentUnderTest;
  readonly mounts: CgroupMounts;
  /** The group below which tasks lie. */
  readonly parent: string;
  withTask(profile: IsolationProfile, use: (task: EcsTask) => Promise<void>): Promise<void>;
}

const PROOF_BOUND_MS = 120_000;
const CALM_BOUND_MS = 120_000;
const FIRE_BOUND_MS = 60_000;

/** What this kernel tells of pressure, and that it tells it sooner than averages show it. */
export function pressureTriggers({ agent, mounts, parent, withTask }: TriggersWorld): void {
  const keeps = mounts.unified !== undefined && existsSync(`${mounts.unified}/cpu.pressure`);
  const skip = !keeps && 'no group of cgroup v2 keeps pressure here';

  test('the agent finds that the kernel tells of pressure', { skip }, () =>
    eventually(async () => {
      const { capabilities } = await agent.report();
      assert.equal(capabilities.pressureTriggers, 'yes');
    }, PROOF_BOUND_MS),
  );

  test('a trigger fires before a look every two seconds sees the mark passed', { skip }, () =>
    withTask({ qos: 'burstable' }, async (task) => {
      const fs = new KernelCgroupFs();
      const triggers = new PressureTriggers(fs, mounts, parent);
      const cpuPressure = (): number => readPressure(fs, mounts, parent).cpu;
      try {
        triggers.probe();
        await eventually(() => assert.equal(triggers.capability, 'yes'), PROOF_BOUND_MS);
        // What the tests before have left in the average.
        await eventually(() => assert.ok(cpuPressure() < ACT_AT.cpu / 10), CALM_BOUND_MS);
        let fired = false;
        const armed = triggers.arm(() => {
          fired = true;
        });
        assert.ok(armed);
        const spin = 'taskset 1 sh -c "while true; do :; done"';
        task.start(`${spin} & ${spin}`);
        const looks: number[] = [];
        for (const deadline = Date.now() + FIRE_BOUND_MS; !fired && Date.now() < deadline; ) {
          looks.push(cpuPressure());
          for (let slept = 0; !fired && slept < LADDER_MS; slept += 10) await sleep(10);
        }
        assert.ok(fired, `nothing fired while looks saw ${looks.join(', ')}`);
        assert.deepEqual(
          looks.filter((pressure) => pressure >= ACT_AT.cpu),
          [],
        );
        // It is the stall that fired, not a write: soon the average shows it.
        await eventually(() => assert.ok(cpuPressure() >= ACT_AT.cpu), FIRE_BOUND_MS);
      } finally {
        triggers.close();
      }
    }),
  );
}
