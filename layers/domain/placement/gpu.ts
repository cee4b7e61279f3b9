import type { Host } from '../model/host.ts';
import { amountOf } from '../model/resources.ts';

/** One GPU in the `gpu` dimension's unit. */
export const WHOLE_GPU = 1000;

/** Part of a device. */
export interface GpuShare {
  readonly device: number;
  readonly amount: number;
}

export interface GpuUse {
  /** Free of each device, in thousandths. */
  readonly free: number[];
  /** What each claim holds, by task id. */
  readonly held: ReadonlyMap<string, readonly GpuShare[]>;
}

/**
 * How a host's claims share its GPUs. Claims fill the devices in the order they were made: whole GPUs take untouched devices
 * from the end, a fraction goes to the fullest device that still holds it, so that whole devices stay whole. The order is
 * part of the claims, hence planner and agent find the same.
 */
export function gpuUse(host: Pick<Host, 'capacity' | 'claims'>): GpuUse {
  const devices = Math.floor(amountOf(host.capacity, 'gpu') / WHOLE_GPU);
  const free: number[] = new Array(devices).fill(WHOLE_GPU);
  const held = new Map<string, readonly GpuShare[]>();
  if (devices === 0) return { free, held };
  const claims = Object.values(host.claims).filter((claim) => amountOf(claim.demand, 'gpu') > 0);
  claims.sort((a, b) => a.claimedAt - b.claimedAt || (a.taskId < b.taskId ? -1 : 1));
  for (const claim of claims) {
    const amount = amountOf(claim.demand, 'gpu');
    held.set(claim.taskId, takeGpus(free, amount) ?? takeAnywhere(free, amount));
  }
  return { free, held };
}

/** Claims that came and went may have left shares as no order of those that remain would: count them where there is room. */
function takeAnywhere(free: number[], demand: number): GpuShare[] {
  const shares: GpuShare[] = [];
  let missing = demand;
  for (let device = 0; device < free.length && missing > 0; device += 1) {
    const amount = Math.min(missing, free[device] as number);
    if (amount === 0) continue;
    free[device] = (free[device] as number) - amount;
    shares.push({ device, amount });
    missing -= amount;
  }
  return shares;
}

/** Whether `demand` thousandths fit: whole GPUs on untouched devices, the fraction on one device. */
export const canShareGpus = (free: readonly number[], demand: number): boolean =>
  takeGpus([...free], demand) !== undefined;

/** Takes the demand out of `free` and says where; undefined, with `free` unchanged, when the devices cannot hold it. */
export function takeGpus(free: number[], demand: number): GpuShare[] | undefined {
  const whole = Math.floor(demand / WHOLE_GPU);
  const share = demand % WHOLE_GPU;
  const taken: number[] = [];
  for (let device = free.length - 1; device >= 0 && taken.length < whole; device -= 1) {
    if (free[device] === WHOLE_GPU) taken.push(device);
  }
  if (taken.length < whole) return undefined;
  const device = share === 0 ? undefined : fullestHolding(free, share, taken);
  if (share > 0 && device === undefined) return undefined;
  const shares = taken.map((each) => ({ device: each, amount: WHOLE_GPU }));
  if (device !== undefined) shares.push({ device, amount: share });
  for (const { device: each, amount } of shares) free[each] = (free[each] as number) - amount;
  return shares;
}

export function giveBackGpus(free: number[], shares: readonly GpuShare[]): void {
  for (const { device, amount } of shares) free[device] = (free[device] ?? 0) + amount;
}

function fullestHolding(
  free: readonly number[],
  share: number,
  except: readonly number[],
): number | undefined {
  let best: number | undefined;
  free.forEach((amount, device) => {
    if (amount < share || except.includes(device)) return;
    if (best === undefined || amount < (free[best] ?? 0)) best = device;
  });
  return best;
}
