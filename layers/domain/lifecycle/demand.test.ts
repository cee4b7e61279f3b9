import { expect, test } from 'vitest';
import { type DefinitionDemand, demandOf, unknownContainers } from './demand.ts';

const container = (name: string, cpuUnits: number, memoryMiB: number, gpus = 0) => ({
  name,
  cpuUnits,
  memoryMiB,
  gpus,
  hostPorts: [],
});
const definition = (over: Partial<DefinitionDemand> = {}): DefinitionDemand => ({
  networkMode: 'bridge',
  containers: [container('main', 256, 128), container('sidecar', 64, 32)],
  ...over,
});

test('a task without a size of its own takes the sum of its containers', () => {
  expect(demandOf(definition(), [])).toEqual({ cpu: 320, memory: 160 });
});

test('an override replaces its container’s share alone', () => {
  expect(demandOf(definition(), [{ name: 'sidecar', cpu: 128, memory: 512 }])).toEqual({
    cpu: 384,
    memory: 640,
  });
  expect(demandOf(definition(), [{ name: 'main', cpu: 0 }])).toEqual({ cpu: 64, memory: 160 });
});

test('a size of the task wins over its containers', () => {
  expect(demandOf(definition({ cpuUnits: 1024, memoryMiB: 2048 }), [{ name: 'main', cpu: 9 }])).toEqual({
    cpu: 1024,
    memory: 2048,
  });
});

test('GPUs count in thousandths and awsvpc takes a network interface', () => {
  const gpus = definition({ networkMode: 'awsvpc', containers: [container('main', 1, 1, 2)] });
  expect(demandOf(gpus, [])).toEqual({ cpu: 1, memory: 1, gpu: 2000, eni: 1 });
});

test('an override for a container that is not there is named', () => {
  expect(unknownContainers(definition(), [{ name: 'main' }, { name: 'mian' }])).toEqual(['mian']);
});
