import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { taskIdOf } from '../../layers/control/taskId.ts';
import { fromCommandLine, parseOptions, whole } from '../../local/cli/commandLine.ts';
import { dockerdPaths } from '../../local/hosts/dockerd.ts';
import { Berth } from '../e2e/support/berth.ts';
import { registerHello, waitForState } from '../e2e/support/tasks.ts';

const HELP = `How long from an event to the start of its process on a warm host, beside a plain docker run of the same image on the
same engine, in turn. Both ends are the engine's own events of a process's start.

  npm run bench:launch -- [options]

  --runs N   of each, after a first that is not counted (30)
  --json     one JSON object on standard output
  --help     this text

Exit codes: 0 the goal is met, 1 it is not, 2 the options are wrong.`;

const { runs, json } = fromCommandLine(HELP, (argv) => {
  const values = parseOptions(argv, {
    runs: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  });
  return { runs: whole('runs', values.runs, { min: 1 }), json: values.json };
});
const run = promisify(execFile);

const median = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

const berth = new Berth({ bootMs: 500, parameters: { PoolIdleHostSeconds: '600' } });
const interrupted = (): void => void berth.remove().finally(() => process.exit(130));
process.once('SIGINT', interrupted);

/** When the engine started the newest process since `sinceMs`, by its own event. Epoch ms. */
async function engineStart(socket: string, sinceMs: number): Promise<number> {
  const { stdout } = await run('docker', [
    '-H',
    `unix://${socket}`,
    'events',
    '--since',
    (sinceMs / 1000).toFixed(3),
    '--until',
    (Date.now() / 1000).toFixed(3),
    '--filter',
    'event=start',
    '--format',
    '{{.TimeNano}}',
  ]);
  const newest = stdout.trim().split('\n').at(-1);
  if (!newest) throw new Error('the engine reports no start');
  return Number(BigInt(newest) / 1_000_000n);
}

async function viaDocker(socket: string): Promise<number> {
  const docker = (...args: string[]) => run('docker', ['-H', `unix://${socket}`, ...args]);
  const before = Date.now();
  const { stdout } = await docker('run', '--detach', 'berth/demo:latest', 'true');
  const startedAt = await engineStart(socket, before);
  await docker('rm', '--force', stdout.trim());
  return startedAt - before;
}

async function viaBerth(client: EventBridgeClient, socket: string, index: number): Promise<number> {
  const idempotencyKey = `bench-${index}`;
  const taskId = taskIdOf('bench', idempotencyKey, 0);
  const request = {
    cluster: 'demo',
    taskDefinition: 'hello',
    idempotencyKey,
    containers: [{ name: 'main', command: ['true'], cpu: 128, memory: 32 }],
  };
  const before = Date.now();
  await client.send(
    new PutEventsCommand({
      Entries: [
        {
          Source: 'bench',
          DetailType: 'Task Requested',
          EventBusName: 'berth',
          Detail: JSON.stringify(request),
        },
      ],
    }),
  );
  await waitForState(berth, taskId, ['SUCCEEDED'], 30_000);
  return (await engineStart(socket, before)) - before;
}

try {
  if (!json) console.log(`starting; then ${runs} runs of each, in turn`);
  await berth.start();
  await registerHello(berth);
  const own = dockerdPaths(join(berth.dataDir, 'hosts')).socket;
  const socket = existsSync(own) ? own : '/var/run/docker.sock';
  const client = new EventBridgeClient({
    endpoint: berth.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'berth', secretAccessKey: 'berth' },
  });
  // The first of each warms the host, the functions and the engine, and is not counted.
  await viaBerth(client, socket, -1);
  await viaDocker(socket);
  const docker: number[] = [];
  const event: number[] = [];
  for (let index = 0; index < runs; index += 1) {
    docker.push(await viaDocker(socket));
    event.push(await viaBerth(client, socket, index));
    if (!json) process.stdout.write(`\r${index + 1} of ${runs}`);
  }
  client.destroy();
  const goalMs = 1.2 * median(docker) + 50;
  const result = {
    'docker run': { value: Math.round(median(docker)), unit: 'ms' },
    'event to process': {
      value: Math.round(median(event)),
      unit: 'ms',
      goal: Math.round(goalMs),
      pass: median(event) <= goalMs,
    },
    ratio: { value: Number((median(event) / median(docker)).toFixed(2)), unit: 'x' },
  };
  if (json) console.log(JSON.stringify(result));
  else {
    console.log(`\nmedians of ${runs} runs`);
    for (const [name, row] of Object.entries(result)) {
      const goal = 'goal' in row ? `  goal <= ${row.goal} ${row.unit}: ${row.pass ? 'met' : 'MISSED'}` : '';
      console.log(`  ${name.padEnd(18)} ${row.value} ${row.unit}${goal}`);
    }
  }
} finally {
  process.off('SIGINT', interrupted);
  await berth.remove();
}
