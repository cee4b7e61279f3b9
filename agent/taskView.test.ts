import { expect, test } from 'vitest';
import type { ContainerInspection } from './dockerApi.ts';
import { requestOf, slicePath, viewContainer } from './taskView.ts';

const ARN = 'arn:aws:ecs:us-east-1:000000000000:task/demo/0123';
const inspection = (overrides: {
  env?: string[];
  parent?: string;
  labels?: Record<string, string>;
}): ContainerInspection => ({
  Id: 'c1',
  Created: '2026-11-24T00:00:00Z',
  Config: { Env: overrides.env ?? [], Labels: overrides.labels ?? { 'com.amazonaws.ecs.task-arn': ARN } },
  HostConfig: {
    CgroupParent: overrides.parent ?? '/ecs/t1',
    CpuShares: 512,
    Memory: 1024,
    MemoryReservation: 0,
  },
  State: { Running: false, Pid: 0, StartedAt: '0001-01-01T00:00:00Z' },
});

test('identity and profile come from the launch environment', () => {
  const view = viewContainer(
    inspection({
      env: [
        'BERTH_TASK_ID=a=b',
        'BERTH_ATTEMPT=3',
        'BERTH_TIMEOUT_SECONDS=60',
        'BERTH_ISOLATION={"qos":"guaranteed","pids":{"max":9}}',
      ],
    }),
    '/ecs',
  );
  expect(view).toMatchObject({
    taskId: 'a=b',
    attempt: 3,
    timeoutSeconds: 60,
    taskCgroup: '/ecs/t1',
    profile: { qos: 'guaranteed', pids: { max: 9 } },
    cpuUnits: 512,
  });
  expect(view).not.toHaveProperty('startedAt');
});

test.each([['{'], ['{"qos":"best"}'], ['{"qos":"burstable","unknown":1}']])(
  'a profile that cannot be used is told, and the defaults hold: %s',
  (text) => {
    const view = viewContainer(inspection({ env: [`BERTH_ISOLATION=${text}`] }), '/ecs');
    expect(view?.profile).toEqual({ qos: 'burstable' });
    expect(view?.profileProblem).toMatch(/./);
  },
);

test.each([
  ['/ecs/t1', '/ecs', '/ecs/t1'],
  ['ecstasks-t1.slice', '/ecstasks.slice', '/ecstasks.slice/ecstasks-t1.slice'],
  ['/ecs/../system', '/ecs', undefined],
  ['/ecs/..', '/ecs', undefined],
  ['/ecs', '/ecs', undefined],
  ['/ecs/a/b', '/ecs', undefined],
  ['/ecsx/a', '/ecs', undefined],
  ['system.slice', '/ecstasks.slice', undefined],
  ['', '/ecs', undefined],
])('only a group directly below ECS is taken: %s below %s', (parent, root, expected) => {
  expect(viewContainer(inspection({ parent }), root)?.taskCgroup).toBe(expected);
});

test('a container of nobody is nobody', () => {
  expect(viewContainer(inspection({ labels: {} }), '/ecs')).toBeUndefined();
});

test('a task asks for the sum, and has a hard memory limit only when every container has one', () => {
  const one = viewContainer(inspection({}), '/ecs');
  if (one === undefined) throw new Error('there is a view');
  const { memoryBytes: _, ...unlimited } = one;
  expect(requestOf([one, one])).toEqual({ cpuUnits: 1024, memoryBytes: 2048 });
  expect(requestOf([one, unlimited])).toEqual({ cpuUnits: 1024 });
});

test('a slice lies in the slices its name spells', () => {
  expect(slicePath('a-b-c.slice')).toBe('/a.slice/a-b.slice/a-b-c.slice');
});
