import { setPriority } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { AGENT_BUNDLE, agentBundleOptions } from '../../../scripts/agentBundle.ts';
import { ensureDocker } from '../docker.ts';
import { temporaryDataDir } from '../hostHarness.ts';
import { ensureDemoImage } from '../image.ts';
import { sweep } from '../sweep.ts';
import { BenchHost } from './benchHost.ts';
import { type Figure, figureLines } from './figures.ts';
import { inTime } from './inTime.ts';
import { machines } from './machines.ts';
import { neighbours } from './neighbours.ts';
import { ensureNodeImage } from './nodeImage.ts';
import { overhead } from './overhead.ts';
import { startReportSink } from './reportSink.ts';

/**
 * `npm run bench:host`: noisy neighbours, the agent's own cost, limits in time, and containers against virtual machines, on
 * this machine. `--json` prints figures for a program, `--only neighbours|overhead|inTime|machines` runs one part.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    launches: { type: 'string', default: '300' },
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
  },
});
const AGENT = `.cache/bench-agent/${AGENT_BUNDLE}`;
const PRIORITY = -20;
const SWEEPS = 3;
const wants = (part: string): boolean => values.only === undefined || values.only === part;
const progress = (line: string): void => {
  if (!values.json) process.stderr.write(`${line}\n`);
};

await build({ ...agentBundleOptions, outfile: AGENT });
// The client must not be what waits.
setPriority(PRIORITY);
const data = temporaryDataDir();
const sink = await startReportSink(data.path);
const figures: Record<string, Figure> = {};
/** Under way once somebody has interrupted the benchmark: ends the process. */
let leaving: Promise<never> | undefined;
const leave = async (exitCode: number): Promise<never> => {
  for (let left = SWEEPS; left > 0; left -= 1) {
    try {
      await sweep(data.path, progress);
      break;
    } catch (error) {
      // Launches that were under way made containers meanwhile; none follows, as the engine has ended.
      if (left === 1) throw error;
    }
  }
  data.remove();
  return process.exit(exitCode);
};
// npm and a terminal may both send it: the second must not end the process before all is away.
process.on('SIGINT', () => {
  leaving ??= leave(130);
});
process.on('SIGTERM', () => {
  leaving ??= leave(143);
});
try {
  const engine = await ensureDocker(data.path, progress);
  await ensureDemoImage(engine.docker);
  const plain = new BenchHost(data.path, engine, undefined);
  const berth = new BenchHost(data.path, engine, { entry: resolve(AGENT), sink });
  await Promise.all([plain.boot(), berth.boot()]);
  if (wants('machines')) Object.assign(figures, await machines(berth, Number(values.repeats)));
  for (const kind of wants('overhead') ? (['quiet', 'restless'] as const) : [])
    Object.assign(figures, await overhead(berth, sink, kind, 100, 60));
  if (wants('inTime')) Object.assign(figures, await inTime(berth, Number(values.launches)));
  if (wants('neighbours')) {
    await ensureNodeImage(engine.docker);
    const [repeats, seconds] = [Number(values.repeats), Number(values.seconds)];
    Object.assign(figures, await neighbours(plain, berth, repeats, seconds, progress));
  }
  await Promise.all([plain.terminate(), berth.terminate()]);
} finally {
  // What was cut off under way fails by the dozen meanwhile, which is nothing to tell.
  await leaving;
  await sweep(data.path, progress);
  sink.close();
  data.remove();
}
process.stdout.write(
  `${values.json ? JSON.stringify(figures, undefined, 1) : figureLines(figures).join('\n')}\n`,
);
if (Object.values(figures).some(({ pass }) => pass === false)) process.exitCode = 1;
process.exit();
