import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sentenceOf, type Violation } from '../local/sim/checker.ts';
import { calm } from '../local/sim/faultRates.ts';
import { caseOf, runCase, usualSeed } from '../local/sim/seedRun.ts';
import { shrink } from '../local/sim/shrink.ts';
import { linesAbout } from '../local/sim/trace.ts';

const usage = `npm run simulate -- [--seeds N] [--seed FIRST] [--trace FILE] [--tasks N] [--hosts N] [--calm] [--keep-going] [--no-shrink]`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'string' },
    tasks: { type: 'string', default: String(usualSeed.tasks) },
    hosts: { type: 'string', default: String(usualSeed.hosts) },
    calm: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} has to be a whole number, not "${text}".\n${usage}`);
};

async function main(): Promise<void> {
  if (values.help) {
    console.log(usage);
    return;
  }
  const [first, count] = [whole('seed', values.seed), whole('seeds', values.seeds)];
  const options = {
    ...usualSeed,
    tasks: whole('tasks', values.tasks),
    hosts: whole('hosts', values.hosts),
    ...(values.calm && { rates: calm }),
  };
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const failures: { readonly seed: number; readonly violation: Violation }[] = [];
  let [done, virtualMs, points] = [0, 0, 0];
  const speed = (): string => {
    const { user, system } = process.cpuUsage(startCpu);
    const wall = (performance.now() - startMs) / 1000;
    return `${(done / wall).toFixed(0)} seeds/s, ${(done / ((user + system) / 1e6)).toFixed(0)} per CPU second`;
  };
  let shownMs = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = await runCase(caseOf(seed, options));
    done += 1;
    virtualMs += result.endedAfterMs;
    points += result.points;
    const [violation] = result.violations;
    if (violation !== undefined) {
      failures.push({ seed, violation });
      if (!values['keep-going']) break;
    }
    if (process.stderr.isTTY && performance.now() - shownMs > 200) {
      shownMs = performance.now();
      const bar = '#'.repeat(Math.round((20 * done) / count)).padEnd(20, '.');
      process.stderr.write(`\r[${bar}] ${done}/${count}  ${speed()}  ${failures.length} violations `);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  const days = (virtualMs / 86_400_000).toFixed(1);
  console.log(
    `${done} seeds from ${first}: ${days} days of virtual time, ${points} calls of ports, ${speed()}`,
  );
  for (const { seed, violation } of failures)
    console.log(`seed ${seed}: ${violation.invariant}: ${violation.detail}`);
  const [failure] = failures;
  if (failure === undefined) {
    console.log('No violation.');
    return;
  }
  process.exitCode = 1;
  await show(failure.seed, failure.violation);

  async function show(seed: number, violation: Violation): Promise<void> {
    console.log(`\nseed ${seed} violates: ${sentenceOf(violation.invariant)}`);
    const whole = caseOf(seed, options);
    const { smallest, runs } = values['no-shrink']
      ? { smallest: whole, runs: 0 }
      : await shrink(whole, violation.invariant, undefined);
    const { trace, violations } = await runCase(smallest, { traced: true });
    const faults = Object.entries(smallest.rates).flatMap(([kind, rate]) => (rate > 0 ? [kind] : []));
    console.log(
      `shrunk in ${runs} runs to ${smallest.plan.requests.length} requests, ${smallest.plan.actions.length} actions, faults: ${faults.join(', ') || 'none'}`,
    );
    const [found] = violations;
    const about = found?.about ?? [];
    for (const line of linesAbout(trace, about).slice(-200)) console.log(line.slice(0, 240));
    console.log(found === undefined ? '' : `${found.invariant}: ${found.detail}`);
    console.log(`replay: npm run simulate -- --seeds 1 --seed ${seed}`);
    if (values.trace !== undefined) {
      writeFileSync(values.trace, `${trace.join('\n')}\n`);
      console.log(`the whole trace is in ${values.trace}`);
    }
  }
}

await main();
