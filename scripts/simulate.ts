import { fromCommandLine } from '../local/cli/commandLine.ts';
import { ofSeverity } from '../local/sim/faultRates.ts';
import { HELP, readOptions, type SimulateOptions } from './simulate/options.ts';
import { simulateSeeds } from './simulate/seeds.ts';
import { simulateWorkload } from './simulate/workload.ts';

const DEFAULT_WORKLOAD_HOSTS = 100;

const run = (options: SimulateOptions): Promise<number> =>
  options.workload === undefined
    ? simulateSeeds(options)
    : simulateWorkload(options.workload, {
        ...options,
        rates: ofSeverity(options.severity),
        maxHosts: options.hosts ?? DEFAULT_WORKLOAD_HOSTS,
      });

process.exitCode = await run(fromCommandLine(HELP, readOptions));
