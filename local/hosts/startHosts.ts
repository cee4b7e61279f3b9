import { agentCommand } from './agentCommand.ts';
import { ensureDocker } from './docker.ts';
import { DockerHosts } from './dockerHosts.ts';
import { ensureDemoImage } from './image.ts';

export interface HostsOptions {
  readonly dataDir: string;
  /** Where the agents' AWS calls go. */
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  /** DynamoDB table of the agents' reports; without it they send none. */
  readonly table?: string;
  /** Log group of the agents' metrics; without it they send none. */
  readonly logGroup?: string;
  /** The agent's bundle; default its source. */
  readonly agentEntry?: string;
  readonly log: (line: string) => void;
}

/**
 * Docker Engine, the demo image, and hosts on them. Throws, with what to install or mount, when the machine cannot
 * carry containers. `close({removeAll: true})` on the result stops the engine too, when it is ours.
 */
export async function startHosts(options: HostsOptions): Promise<DockerHosts> {
  const { dataDir, endpoint, region, accountId, table, logGroup, agentEntry, log } = options;
  const engine = await ensureDocker(dataDir, log);
  try {
    await ensureDemoImage(engine.docker);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  const agent = agentCommand({
    dataDir,
    dockerSocket: engine.socketPath,
    endpoint,
    region,
    accountId,
    ...(table === undefined ? {} : { table }),
    ...(logGroup === undefined ? {} : { logGroup }),
    ...(agentEntry === undefined ? {} : { entry: agentEntry }),
  });
  return new DockerHosts({ dataDir, engine, log, agent });
}
