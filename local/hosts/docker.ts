import Docker from 'dockerode';
import { answers, dockerdPaths, startDockerd, stopDockerd } from './dockerd.ts';

/** A Docker Engine the hosts run on. */
export interface DockerEngine {
  readonly docker: Docker;
  readonly socketPath: string;
  /** Eight hex: marks what belongs to this data directory on an engine that others may use too. */
  readonly owner: string;
  /** True when the engine is ours to stop. */
  readonly owned: boolean;
  /** The network of tasks in `bridge` mode, on which containers cannot reach each other. */
  readonly bridgeNetwork: string;
  /** Stops the engine when it is ours. */
  stop(): Promise<void>;
}

const SYSTEM_SOCKET = '/var/run/docker.sock';
const SHARED_NETWORK = 'berth';

/**
 * The system's Docker Engine when it runs and manages cgroups itself; else our own, started below `dataDir`. A systemd
 * cgroup driver would need unit names where the hosts use paths, so such an engine is left alone.
 * Throws, with what to do, when neither works.
 */
export async function ensureDocker(dataDir: string, log: (line: string) => void): Promise<DockerEngine> {
  const owner = dockerdPaths(dataDir).tag;
  if (await answers(SYSTEM_SOCKET, 0)) {
    const docker = new Docker({ socketPath: SYSTEM_SOCKET });
    const info: { CgroupDriver?: string } = await docker.info();
    if (info.CgroupDriver === 'cgroupfs') {
      await ensureSharedNetwork(docker);
      log(`using the Docker Engine at ${SYSTEM_SOCKET}`);
      return {
        docker,
        socketPath: SYSTEM_SOCKET,
        owner,
        owned: false,
        bridgeNetwork: SHARED_NETWORK,
        stop: async () => {},
      };
    }
    log(`the Docker Engine at ${SYSTEM_SOCKET} leaves cgroups to ${info.CgroupDriver}: starting our own`);
  }
  const paths = await startDockerd(dataDir, log);
  return {
    docker: new Docker({ socketPath: paths.socket }),
    socketPath: paths.socket,
    owner,
    owned: true,
    bridgeNetwork: 'bridge',
    stop: () => stopDockerd(dataDir),
  };
}

async function ensureSharedNetwork(docker: Docker): Promise<void> {
  const existing = await docker.listNetworks({ filters: { name: [SHARED_NETWORK] } });
  if (existing.some(({ Name }) => Name === SHARED_NETWORK)) return;
  await docker.createNetwork({
    Name: SHARED_NETWORK,
    Driver: 'bridge',
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
  });
}
