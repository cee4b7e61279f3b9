import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { isAlive, TestPools } from './testPool.ts';

const pools = new TestPools();
afterEach(() => pools.closePools());
afterAll(() => pools.remove());
const { started } = pools;
const pool = pools.make.bind(pools);
const run = pools.run.bind(pools);

describe('a pool', () => {
  it('works on as many events at once as it has workers, one each', async () => {
    const runner = pool({}, { maxWorkersPerFunction: 2 });
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => run(runner, { do: 'sleep', ms: 100 })));
    expect(outcomes.every((outcome) => outcome.status === 'success')).toBe(true);
    expect(new Set(outcomes.map((outcome) => outcome.body.pid)).size).toBe(2);
    expect(runner.pids).toHaveLength(2);
  });

  it('ends workers nobody needs, but keeps the provisioned ones and replaces them', async () => {
    const runner = pool({ provisionedConcurrency: 1 }, { idleMs: 100 });
    await Promise.all([1, 2].map(() => run(runner, { do: 'sleep', ms: 200 })));
    await vi.waitFor(() => expect(runner.pids).toHaveLength(1), { timeout: 5_000 });
    const [pid = 0] = runner.pids;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(
      () => {
        expect(runner.pids).toHaveLength(1);
        expect(runner.pids).not.toContain(pid);
      },
      { timeout: 5_000 },
    );
  });

  it('retires after its running events and leaves no process', async () => {
    const runner = pool();
    const busy = run(runner, { do: 'sleep', ms: 200 });
    await vi.waitFor(() => expect(runner.pids).toHaveLength(1));
    const [pid = 0] = runner.pids;
    await runner.retire();
    expect(await busy).toMatchObject({ status: 'success' });
    expect(isAlive(pid)).toBe(false);
  });

  it('closes at once: what runs and what waits is answered as killed', async () => {
    const runner = pool({}, { maxWorkersPerFunction: 1 });
    await runner.prewarm(1);
    const outcomes = [1, 2, 3].map(() => run(runner, { do: 'sleep', ms: 20_000 }));
    await vi.waitFor(() => expect(started).toHaveLength(1));
    await runner.close();
    for (const outcome of await Promise.all(outcomes))
      expect(outcome.body.errorType).toBe('Runtime.ExitError');
    expect(runner.pids).toEqual([]);
  });

  it('leaves no process behind when the engine is killed', async () => {
    const program = fileURLToPath(new URL('./testParent.ts', import.meta.url));
    const parent = spawn(process.execPath, [program, pools.root], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids).toHaveLength(2);
    expect(pids.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 5_000 });
  });
});
