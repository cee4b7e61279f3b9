import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { HostReport } from '../../../layers/domain/isolation/hostReport.ts';
import { parseCpuList } from '../../../layers/domain/isolation/topology.ts';
import { agentCommand } from '../agentCommand.ts';
import type { AgentCommand } from '../agentProcess.ts';
import type { ContainerChange, InstanceSpec, TaskLaunch } from '../backend.ts';
import type { DockerEngine } from '../docker.ts';
import { DockerHosts } from '../dockerHosts.ts';
import { anInstance, Recorder } from '../hostHarness.ts';
import { LABELS } from '../labels.ts';
import type { ReportSink } from './reportSink.ts';

/** The agent of a host, and where it reports. */
export interface BenchAgent {
  readonly entry: string;
  readonly sink: ReportSink;
}

/** One instance on the machine, with the agent or without. */
export class BenchHost {
  readonly instance = anInstance({ vcpus: 2, memoryMiB: 16_384 });
  readonly #dataDir: string;
  readonly #engine: DockerEngine;
  readonly #hosts: DockerHosts;
  readonly #seen = new Recorder();

  constructor(dataDir: string, engine: DockerEngine, agent: BenchAgent | undefined) {
    this.#dataDir = dataDir;
    this.#engine = engine;
    this.#hosts = new DockerHosts({
      dataDir,
      engine,
      log: () => {},
      ...(agent === undefined ? {} : { agent: reporting(agent, dataDir, engine.socketPath) }),
    });
    this.#hosts.observe(this.#seen);
  }

  async boot(): Promise<void> {
    this.#hosts.boot(this.instance);
    await this.#seen.saw(`booted ${this.instance.instanceId}`);
  }

  get agentPid(): number {
    return Number(readFileSync(join(this.#dataDir, 'hosts', this.instance.instanceId, 'agent.pid'), 'utf8'));
  }

  /** What the agent knows now, from its status socket. */
  async report(): Promise<HostReport> {
    const directory = join(this.#dataDir, 'hosts', this.instance.instanceId, 'agent');
    return JSON.parse(await text(createConnection(join(directory, 'status.sock')))) as HostReport;
  }

  /** Resolves when the task's container runs. */
  run(launch: TaskLaunch): Promise<ContainerChange> {
    this.#hosts.runTask(this.instance.instanceId, launch);
    return this.#seen.status(launch, 'main', 'RUNNING', 120_000);
  }

  /** The IP address of the task's only container on the engine's bridge, and the CPUs that it may use. */
  async whereabouts({ taskArn }: TaskLaunch): Promise<{ readonly address: string; readonly cpus: number[] }> {
    const { docker } = this.#engine;
    const [container] = await docker.listContainers({
      filters: { label: [`${LABELS.taskArn}=${taskArn}`] },
    });
    const [network] = Object.values(container?.NetworkSettings.Networks ?? {});
    if (container === undefined || network === undefined)
      throw new Error(`no container of ${taskArn} is on a network`);
    const { State } = await docker.getContainer(container.Id).inspect();
    const status = readFileSync(`/proc/${State.Pid}/status`, 'utf8');
    return {
      address: network.IPAddress,
      cpus: parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? ''),
    };
  }

  async stop(launch: TaskLaunch): Promise<void> {
    this.#hosts.stopTask(this.instance.instanceId, launch.taskArn, 'measured');
    await this.#seen.status(launch, 'main', 'STOPPED', 120_000);
  }

  async terminate(): Promise<void> {
    this.#hosts.terminate(this.instance.instanceId, 0);
    const gone = `terminated ${this.instance.instanceId}`;
    await this.#seen.until(() => this.#seen.lines.find((line) => line.startsWith(gone)), 120_000);
    await this.#hosts.close({ removeAll: false });
  }
}

const reporting = ({ entry, sink }: BenchAgent, dataDir: string, dockerSocket: string) => {
  const { endpoint } = sink;
  const [region, accountId, table, logGroup] = ['us-east-1', '000000000000', 'berth', '/berth/hosts'];
  const command = agentCommand({
    dataDir,
    dockerSocket,
    endpoint,
    region,
    accountId,
    table,
    logGroup,
    entry,
  });
  return (instance: InstanceSpec): AgentCommand => {
    const { argv, environment } = command(instance);
    return { argv, environment: { ...environment, ...sink.environment } };
  };
};
