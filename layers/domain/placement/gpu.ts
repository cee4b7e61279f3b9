import type { Host } from '../model/host.ts';
import { amountOf } from '../model/resources.ts';

/** One GPU in the `gpu` dimension's unit. */
export const WHOLE_GPU = 1000;

/**
 * What is free of each GPU, in thousandths. Claims fill the devices in the order they were made: whole GPUs take empty
 * devices from the end, a share goes to the fullest device that still holds it, so that whole devices stay whole.
 */
export function gpuOccupancy(host: Pick<Host, 'capacity' | 'claims'>): number[] {
  const devices = Math.floor(amountOf(host.capacity, 'gpu') / WHOLE_GPU);
  const free: number[] = new Array(devices).fill(WHOLE_GPU);
  if (devices === 0) return free;
  const claims = Object.values(host.claims).filter((claim) => amountOf(claim.demand, 'gpu') > 0);
  claims.sort((a, b) => a.claimedAt - b.claimedAt || (a.taskId < b.taskId ? -1 : 1));
  for (const claim of claims) takeGpus(free, amountOf(claim.demand, 'gpu'));
  return free;
}

/** Whether `demand` thousandths fit: whole GPUs on untouched devices, the fraction on one device. */
export function canShareGpus(free: readonly number[], demand: number): boolean {
  return takeGpus([...free], demand);
}

/** Takes the demand out of `free`; false, with `free` unchanged, when the devices cannot hold it. */
export function takeGpus(free: number[], demand: number): boolean {
  const whole = Math.floor(demand / WHOLE_GPU);
  const share = demand % WHOLE_GPU;
  const taken: number[] = [];
  for (let device = free.length - 1; device >= 0 && taken.length < whole; device -= 1) {
    if (free[device] === WHOLE_GPU) taken.push(device);
  }
  if (taken.length < whole) return false;
  const device = share === 0 ? undefined : fullestHolding(free, share, taken);
  if (share > 0 && device === undefined) return false;
  for (const each of taken) free[each] = 0;
  if (device !== undefined) free[device] = (free[device] ?? 0) - share;
  return true;
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
