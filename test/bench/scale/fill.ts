import { requestEvent } from '../../support/requestEvent.ts';
import { quantile } from '../measure.ts';
import { CLUSTER, createDrive, TASK } from './drive.ts';

export const WAVE = 2_000;
const PER_REQUEST = 100;
const MAX_ROUNDS = 20;
const ARRIVALS = 21;
/** Of all tasks: so many end before arrivals are measured that have room. */
const ROOM_SHARE = 0.05;

export interface Filled {
  /** Of the passes that placed a whole wave: the first fifth of the way, and the last. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Median of one arrival's pass on the full cluster, where one task has just ended, and with room on many hosts. */
  readonly fullArrivalMs: number;
  readonly arrivalMs: number;
  readonly slowestMs: number;
  readonly reconcileMs: number;
  readonly unitsPerTask: number;
}

const asked = (idempotencyKey: string, count: number): string =>
  requestEvent({
    cluster: CLUSTER,
    taskDefinition: 'web',
    idempotencyKey,
    count,
    containers: [{ name: 'app', ...TASK }],
  });

/** Fills a cluster of so many hosts, twenty tasks each, wave by wave, and measures on the way and at the end. */
export async function fill(hosts: number, note: (text: string) => void): Promise<Filled> {
  const drive = await createDrive(hosts);
  const total = hosts * 20;
  const passes: number[] = [];
  let slowestMs = 0;
  const timed = async (work: Promise<number>): Promise<number> => {
    const ms = await work;
    slowestMs = Math.max(slowestMs, ms);
    return ms;
  };
  for (let running = 0; running < total; running += WAVE) {
    const requests = Array.from({ length: WAVE / PER_REQUEST }, (_, n) =>
      asked(`r${running}-${n}`, PER_REQUEST),
    );
    await drive.accept(requests);
    await timed(drive.pass());
    for (let round = 0; drive.live.size < running + WAVE; round += 1) {
      if (round === MAX_ROUNDS) throw new Error(`only ${drive.live.size} of ${running + WAVE} tasks run`);
      await timed(drive.purchase());
      await drive.register();
      const before = drive.live.size;
      const ms = await timed(drive.pass());
      // The full wave, placed at once, is what is compared from first to last.
      if (drive.live.size - before === WAVE) passes.push(ms);
      await drive.start();
      drive.advance(1_000);
    }
    if ((running / WAVE) % 5 === 4)
      note(`${running + WAVE} tasks run, last pass ${Math.round(passes.at(-1) ?? 0)} ms\n`);
  }
  const unitsPerTask = drive.writeUnits() / total;
  const arrive = async (name: string): Promise<number> => {
    await drive.accept([asked(name, 1)]);
    const ms = await timed(drive.passAsWoken());
    await drive.start();
    return ms;
  };
  const full: number[] = [];
  for (let n = 0; n < ARRIVALS; n += 1) {
    const [first] = drive.live.values();
    if (first) await drive.end([first]);
    full.push(await arrive(`full-${n}`));
  }
  const step = Math.round(1 / ROOM_SHARE);
  await drive.end([...drive.live.values()].filter((_, n) => n % step === 0));
  await timed(drive.pass());
  const arrivals: number[] = [];
  for (let n = 0; n < ARRIVALS; n += 1) arrivals.push(await arrive(`room-${n}`));
  const reconcileMs = await drive.reconcile();
  const pending = await drive.store.listPending(CLUSTER, 1);
  if (pending.tasks.length > 0) throw new Error('tasks are left in the queue');
  const fifth = Math.max(1, Math.floor(passes.length / 5));
  const meanOf = (some: readonly number[]): number => some.reduce((sum, ms) => sum + ms, 0) / some.length;
  const medianOf = (some: number[]): number =>
    quantile(
      some.sort((a, b) => a - b),
      0.5,
    );
  return {
    firstMs: meanOf(passes.slice(0, fifth)),
    lastMs: meanOf(passes.slice(-fifth)),
    fullArrivalMs: medianOf(full),
    arrivalMs: medianOf(arrivals),
    slowestMs,
    reconcileMs,
    unitsPerTask,
  };
}
