import { readFileSync } from 'node:fs';
import type { Resources } from '../../../layers/domain/model/resources.ts';

export interface TracePod {
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly gpuMilli: number;
  readonly createdS: number;
  readonly deletedS: number;
}

/** Every fourth pod of Alibaba's openb trace (github.com/alibaba/clusterdata, cluster-trace-gpu-v2023). */
const SAMPLE = new URL('./openb-pods-sample.csv', import.meta.url);

/** Reads a trace with the columns cpu_milli, memory_mib, num_gpu, gpu_milli, creation_time and deletion_time (seconds). */
export function readTrace(file?: string): TracePod[] {
  const [header = '', ...lines] = readFileSync(file ?? SAMPLE, 'utf8')
    .trim()
    .split(/\r?\n/);
  const names = header.split(',');
  const at = (name: string): number => {
    const found = names.indexOf(name);
    if (found < 0) throw new Error(`${file ?? 'the sample'} has no column ${name}; it has ${header}`);
    return found;
  };
  const [cpu, memory, gpus, milli] = ['cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'].map(at);
  const [created, deleted] = ['creation_time', 'deletion_time'].map(at);
  return lines
    .map((line) => {
      const cells = line.split(',');
      const number = (column: number | undefined): number => Number(cells[column ?? -1] ?? 0) || 0;
      return {
        cpuMilli: number(cpu),
        memoryMiB: number(memory),
        gpus: number(gpus),
        gpuMilli: number(milli),
        createdS: number(created),
        deletedS: number(deleted),
      };
    })
    .filter(({ createdS, deletedS }) => deletedS >= createdS);
}

/** Processor and memory of a pod as a task asks for them. */
export const generalDemand = ({ cpuMilli, memoryMiB }: TracePod): Resources => ({
  cpu: Math.max(1, Math.ceil(cpuMilli * 1.024)),
  memory: Math.max(1, memoryMiB),
});
