import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import { embeddedMetrics } from '../local/cloudwatch/embeddedMetrics.ts';
import { metricLines, UsageMetrics } from './usageMetrics.ts';

const task = {
  applied: true,
  inTime: true,
  refused: [],
  failures: [],
  oomKills: 0,
  pidsHits: 0,
  throttledMs: 40,
};
const report: HostReport = {
  instanceId: 'i-1',
  cluster: 'demo',
  seenAt: 1_790_000_000_000,
  agentVersion: '0.1.0',
  capabilities: {},
  cannot: [],
  tasks: {
    t1: { ...task, family: 'web', usage: { cpuP50: 0.5, cpuP95: 0.9, memoryP95MiB: 120 } },
    t2: task,
  },
  pressure: { cpu: 0.1234, memory: 0, io: 0.02 },
  notices: [],
};

describe('metricLines', () => {
  it('are metrics to whoever reads the embedded metric format', () => {
    const [host, web, ...others] = metricLines(report).map(embeddedMetrics);
    expect(others).toEqual([]);
    expect(host).toContainEqual({
      namespace: 'Berth/Hosts',
      name: 'CpuPressure',
      value: 12.34,
      unit: 'Percent',
      dimensions: { cluster: 'demo' },
      timestampMs: report.seenAt,
    });
    expect(host?.find(({ name }) => name === 'Tasks')?.value).toBe(2);
    expect(web?.map(({ name, value }) => [name, value])).toEqual([
      ['CpuP50', 0.5],
      ['CpuP95', 0.9],
      ['MemoryP95', 120],
      ['Throttled', 40],
    ]);
    expect(web?.[0]?.dimensions).toEqual({ cluster: 'demo', family: 'web' });
  });
});

describe('UsageMetrics', () => {
  let server: Server;
  let calls: string[];
  let streams: Set<string>;
  beforeEach(async () => {
    [calls, streams] = [[], new Set()];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
        const { logStreamName } = JSON.parse(body) as { logStreamName: string };
        calls.push(operation);
        if (operation === 'CreateLogStream') streams.add(logStreamName);
        const refused = operation === 'PutLogEvents' && !streams.has(logStreamName);
        response.statusCode = refused ? 400 : 200;
        response.end(refused ? '{"__type":"com.amazonaws.logs#ResourceNotFoundException"}' : '{}');
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  afterEach(() => server.close());

  it('makes its stream when it is missed, and sends again only after a minute and a change', async () => {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const metrics = new UsageMetrics(
      { logGroup: '/berth/hosts', region: 'us-east-1', endpoint },
      async () => ({
        accessKeyId: 'a',
        secretAccessKey: 'b',
      }),
    );
    await metrics.send(report);
    expect(calls).toEqual(['PutLogEvents', 'CreateLogStream', 'PutLogEvents']);
    const pressed = { ...report, pressure: { ...report.pressure, cpu: 0.5 } };
    await metrics.send({ ...pressed, seenAt: report.seenAt + 59_000 });
    await metrics.send({ ...report, seenAt: report.seenAt + 60_000 });
    expect(calls).toHaveLength(3);
    await metrics.send({ ...pressed, seenAt: report.seenAt + 60_000 });
    expect(calls.slice(3)).toEqual(['PutLogEvents']);
  });
});
