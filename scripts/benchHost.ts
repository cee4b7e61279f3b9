import { setPriority } from 'node:os';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { fromCommandLine, oneOf, parseOptions, whole } from '../local/cli/commandLine.ts';
import { BenchHost } from '../local/hosts/bench/benchHost.ts';
import { type Figure, figureLines } from '../local/hosts/bench/figures.ts';
import { inTime } from '../local/hosts/bench/inTime.ts';
import { machines } from '../local/hosts/bench/machines.ts';
import { neighbours } from '../local/hosts/bench/neighbours.ts';
import { ensureNodeImage } from '../local/hosts/bench/nodeImage.ts';
import { overhead } from '../local/hosts/bench/overhead.ts';
import { startReportSink } from '../local/hosts/bench/reportSink.ts';
import { ensureDocker } from '../local/hosts/docker.ts';
import { temporaryDataDir } from '../local/hosts/hostHarness.ts';
import { ensureDemoImage } from '../local/hosts/image.ts';
import { sweep } from '../local/hosts/sweep.ts';
import { AGENT_BUNDLE, agentBundleOptions } from './agentBundle.ts';

const PARTS = ['machines', 'overhead', 'inTime', 'neighbours'] as const;
type Part = (typeof PARTS)[number];

const HELP = `Containers against virtual machines, the agent's own cost, limits in time, and noisy neighbours, on this machine.

  npm run bench:host -- [options]

  --only PART    one of ${PARTS.join(', ')}
  --launches N   of inTime (300)
  --repeats N    of neighbours and machines, of which the median is told (5)
  --seconds N    how long each measurement of neighbours takes (10)
  --json         one JSON object on standard output
  --help         this text

Ctrl-C removes its containers, cgroups and processes. Exit codes: 0 every goal is met, 1 one is not, 2 the options are
wrong.`;

const options = fromCommandLine(HELP, (argv) => {
  const values = parseOptions(argv, {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    launches: { type: 'string', default: '300' },
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
  });
  return {
    json: values.json,
    parts: values.only === undefined ? PARTS : [oneOf('only', values.only, PARTS)],
    launches: whole('launches', values.launches, { min: 1 }),
    repeats: whole('repeats', values.repeats, { min: 1 }),
    seconds: whole('seconds', values.seconds, { min: 1 }),
  };
});
const AGENT = `.cache/bench-agent/${AGENT_BUNDLE}`;
const PRIORITY = -20;
const SWEEPS = 3;
const wants = (part: Part): boolean => options.parts.includes(part);
const progress = (line: string): void => {
  if (!options.json) process.stderr.write(`${line}\n`);
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
  if (wants('machines')) Object.assign(figures, await machines(berth, options.repeats));
  for (const kind of wants('overhead') ? (['quiet', 'restless'] as const) : [])
    Object.assign(figures, await overhead(berth, sink, kind, 100, 60));
  if (wants('inTime')) Object.assign(figures, await inTime(berth, options.launches));
  if (wants('neighbours')) {
    await ensureNodeImage(engine.docker);
    const { repeats, seconds } = options;
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
  `${options.json ? JSON.stringify(figures, undefined, 1) : figureLines(figures).join('\n')}\n`,
);
if (Object.values(figures).some(({ pass }) => pass === false)) process.exitCode = 1;
process.exit();
