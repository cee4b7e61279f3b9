import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import { parseCgroupMounts } from './cgroupMounts.ts';
import { withIdentity } from './identity.ts';
import { InstanceMetadata } from './imds.ts';
import { runAgent } from './run.ts';
import { metadataEndpoint, readSettings, type Settings } from './settings.ts';
import { askStatus } from './statusServer.ts';
import { statusTable } from './statusTable.ts';
import { thawAll } from './thaw.ts';

const USAGE = `berth-agent [run]        looks after this host until SIGTERM
berth-agent status       shows tasks, limits and pressure; --json for a program
berth-agent thaw         gives back what a dead agent froze (systemd runs it when the agent ends)
Settings come from the environment: BERTH_CLUSTER, BERTH_TABLE, and where there is no instance metadata
BERTH_INSTANCE_ID and BERTH_INSTANCE_ARN.`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    // The instance is in the environment; on the command line it lets a person and a supervisor tell agents apart.
    options: {
      json: { type: 'boolean', default: false },
      instance: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const command = values.help === true ? 'help' : (positionals[0] ?? 'run');
  const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const settings = async (): Promise<Settings> => {
    const endpoint = metadataEndpoint(process.env);
    const metadata = endpoint === undefined ? undefined : new InstanceMetadata(endpoint);
    const environment = metadata === undefined ? process.env : await withIdentity(process.env, metadata);
    return readSettings(environment, mounts.version);
  };
  switch (command) {
    case 'run':
      await runAgent(await settings(), mounts);
      return;
    case 'status': {
      const report = (await askStatus((await settings()).stateDirectory)) as HostReport;
      console.log(values.json ? JSON.stringify(report) : statusTable(report));
      return;
    }
    case 'thaw':
      thawAll(await settings(), mounts);
      return;
    case 'help':
      console.log(USAGE);
      return;
    default:
      throw new Error(`unknown command ${command}\n${USAGE}`);
  }
}

// Not awaited: the bundle is CommonJS, see `scripts/agentBundle.ts`.
main().catch((error: Error) => {
  console.error(`berth-agent: ${error.message}`);
  process.exitCode = 1;
});
