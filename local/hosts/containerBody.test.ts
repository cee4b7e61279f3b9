import { expect, test } from 'vitest';
import { containerBody } from './containerBody.ts';
import { readiness } from './dependencies.ts';
import { aContainer, aTask } from './hostHarness.ts';

const place = { instanceId: 'i-1', owner: 'abcd', bridgeNetwork: 'bridge' };

test('a container is asked for as the ECS agent would', () => {
  const spec = aContainer({
    cpuUnits: 0,
    memoryReservationMiB: 64,
    portMappings: [
      { containerPort: 80, hostPort: 0, protocol: 'tcp' },
      { containerPort: 80, hostPort: 8080, protocol: 'tcp' },
    ],
    labels: { mine: 'yes', 'berth.instance': 'i-forged' },
  });
  const launch = aTask([spec]);
  expect(containerBody(launch, spec, place)).toMatchObject({
    Labels: { mine: 'yes', 'berth.instance': 'i-1', 'com.amazonaws.ecs.task-arn': launch.taskArn },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      CgroupParent: `/berth/i-1/ecs/${launch.ecsTaskId}`,
      CpuShares: 2,
      Memory: 128 * 2 ** 20,
      MemoryReservation: 64 * 2 ** 20,
      NetworkMode: 'bridge',
      PortBindings: { '80/tcp': [{ HostPort: '' }, { HostPort: '8080' }] },
    },
  });
});

test('a task outside the bridge publishes nothing', () => {
  const spec = aContainer({ portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }] });
  const body = containerBody(aTask([spec], { networkMode: 'host' }), spec, place);
  expect(body.HostConfig).toMatchObject({ NetworkMode: 'host', PortBindings: {} });
});

const state = { phase: 'waiting', everStarted: false, healthy: false } as const;
const ran = { phase: 'stopped', everStarted: true, healthy: false } as const;
test.each([
  ['START', state, 'wait'],
  ['START', { ...state, phase: 'running', everStarted: true }, 'ready'],
  ['START', { ...state, phase: 'stopped' }, 'never'],
  ['COMPLETE', { ...ran, exitCode: 3 }, 'ready'],
  ['COMPLETE', { ...state, phase: 'stopped' }, 'never'],
  ['SUCCESS', { ...ran, exitCode: 0 }, 'ready'],
  ['SUCCESS', { ...ran, exitCode: 1 }, 'never'],
  ['HEALTHY', { ...state, phase: 'running', everStarted: true }, 'wait'],
  ['HEALTHY', { ...state, phase: 'running', everStarted: true, healthy: true }, 'ready'],
  ['HEALTHY', ran, 'never'],
] as const)('%s on %o is %s', (condition, other, expected) => {
  const spec = aContainer({ dependsOn: [{ containerName: 'other', condition }] });
  const verdict = readiness(spec, () => other);
  expect(typeof verdict === 'string' ? verdict : 'never').toBe(expected);
});
