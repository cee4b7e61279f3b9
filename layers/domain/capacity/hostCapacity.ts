import type { Resources } from '../model/resources.ts';

export interface HostSize {
  readonly vcpus: number;
  /** As EC2 advertises it. */
  readonly memoryMiB: number;
  readonly gpus?: number;
  /** Task network interfaces (awsvpc): the branch limit with trunking, else interfaces - 1. */
  readonly taskEnis?: number;
  /** `ECS_RESERVED_MEMORY` of the pool's launch template. */
  readonly reservedMiB?: number;
}

/**
 * Memory, MiB, that hypervisor, firmware and kernel keep of `memoryMiB` before the ECS agent reads its total. An upper
 * envelope of the 540 types measured in karpenter-provider-aws (pkg/providers/instancetype/zz_generated.memory_overhead.go,
 * commit 15e8769): none of them keeps more, so a host bought for a task holds it. Karpenter's own default is a flat 7.5 %.
 */
export const memoryOverheadMiB = (memoryMiB: number): number =>
  Math.ceil(Math.min(96 + 0.083 * memoryMiB, 290 + 0.0452 * memoryMiB));

/**
 * What a host of a size offers to tasks: ECS registers 1024 CPU units a vCPU and the memory its operating system reports
 * ("Reserving Amazon ECS Linux container instance memory"), less `ECS_RESERVED_MEMORY`. Never more than registers.
 */
export function hostCapacity(size: HostSize): Resources {
  const memory = size.memoryMiB - memoryOverheadMiB(size.memoryMiB) - (size.reservedMiB ?? 0);
  return {
    cpu: Math.floor(size.vcpus * 1024),
    memory: Math.max(0, Math.floor(memory)),
    ...(size.gpus === undefined || size.gpus === 0 ? {} : { gpu: size.gpus * 1000 }),
    ...(size.taskEnis === undefined ? {} : { eni: size.taskEnis }),
  };
}
