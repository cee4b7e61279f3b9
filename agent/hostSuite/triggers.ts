import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const ARM_BOUND_MS = 20_000;
/** Two loops on one CPU: one of them waits all the time. */
const SPIN = 'taskset 1 sh -c "while true; do :; done"';

/** Threads that the kernel keeps for groups with triggers. */
function kernelThreads(): number {
  const names = readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : [];
    } catch {
      // It has just ended.
      return [];
    }
  });
  return names.filter((name) => name === 'psimon').length;
}

/** What this kernel tells of pressure and of whose, and that it tells it sooner than averages show it. */
export function pressureTriggers({ agent, mounts, parent, withTask }: TriggersWorld): void {
  const keeps = mounts.unified !== undefined && existsSync(`${mounts.unified}/cpu.pressure`);
  const skip = !keeps && 'no group of cgroup v2 keeps pressure here';
  /** Which of the task's triggers the agent holds. */
  const armedOf = (task: EcsTask): string[] => {
    const group = `${mounts.unified}${task.cgroup}/`;
    return agent.openFiles.filter((file) => file.startsWith(group)).map((file) => file.slice(group.length));
  };

  test('the agent finds that the kernel tells of pressure, and what that costs', { skip }, (t) =>
    eventually(async () => {
      const { capabilities } = await agent.report();
      const threads = kernelThreads();
      t.diagnostic(`${threads} threads of the kernel's`);
      const told = threads === 0 ? 'yes' : 'partial: the kernel keeps a thread for each task';
      assert.equal(capabilities.pressureTriggers, told);
    }, PROOF_BOUND_MS),
  );

  test('a trigger fires before a look every two seconds sees the mark passed', { skip }, () =>
    withTask({ qos: 'burstable' }, async (task) => {
      const fs = new KernelCgroupFs();
      const fired: string[] = [];
      const triggers = new PressureTriggers(fs, mounts, parent, (cgroup, resource) =>
        fired.push(`${cgroup} ${resource}`),
      );
      const cpuPressure = (): number => readPressure(fs, mounts, parent).cpu;
      try {
        triggers.probe(() => {});
        await eventually(() => assert.ok(triggers.proven), PROOF_BOUND_MS);
        // What the tests before have left in the average.
        await eventually(() => assert.ok(cpuPressure() < ACT_AT.cpu / 10), CALM_BOUND_MS);
        // Another resource may stall yet, by what else the machine does.
        await eventually(() => assert.equal(triggers.arm(parent), 'armed'), CALM_BOUND_MS);
        task.start(`${SPIN} & ${SPIN}`);
        const looks: number[] = [];
        for (const deadline = Date.now() + FIRE_BOUND_MS; fired.length === 0 && Date.now() < deadline; ) {
          looks.push(cpuPressure());
          for (let slept = 0; fired.length === 0 && slept < LADDER_MS; slept += 10) await sleep(10);
        }
        assert.deepEqual(fired, [`${parent} cpu`], `looks saw ${looks.join(', ')}`);
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

  test("a pressed task's own trigger names it, its quiet neighbour's does not fire", { skip }, async () => {
    const all = ['cpu.pressure', 'io.pressure', 'memory.pressure'];
    const gone: EcsTask[] = [];
    await withTask({ qos: 'burstable' }, (quiet) =>
      withTask({ qos: 'burstable' }, async (pressed) => {
        gone.push(quiet, pressed);
        const go = `/tmp/berth-go-${pressed.id}`;
        quiet.start('sleep 1000');
        pressed.start(`mkfifo ${go}; read line <${go}; rm ${go}; ${SPIN} & ${SPIN}`);
        const armed = (task: EcsTask): void => assert.deepEqual(armedOf(task).sort(), all);
        await eventually(() => armed(quiet), ARM_BOUND_MS);
        await eventually(() => armed(pressed), ARM_BOUND_MS);
        await eventually(() => assert.ok(existsSync(go)), ARM_BOUND_MS);
        writeFileSync(go, '\n');
        const told = new RegExp(`cpu stalls ${pressed.id}`);
        await eventually(() => assert.match(agent.log, told), FIRE_BOUND_MS);
        assert.doesNotMatch(agent.log, new RegExp(`stalls ${quiet.id}`));
        armed(quiet);
      }),
    );
    await eventually(() => assert.deepEqual(gone.flatMap(armedOf), []), ARM_BOUND_MS);
  });
}
