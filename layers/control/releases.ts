import type { Task } from '../domain/model/task.ts';
import type { ClaimEnd } from '../ports/store.ts';
import { concurrently } from './concurrently.ts';
import type { World } from './world.ts';

type ReleaseWorld = Pick<World, 'store' | 'clock'>;

/** Sees to it that the claim of a task's current attempt, known dead, is given back. Without a host there is none. */
export type Release = (
  task: Pick<Task, 'taskId' | 'attempt' | 'cluster' | 'hostId'>,
  failedToStart?: boolean,
) => Promise<void>;

const HOSTS_AT_ONCE = 8;

export const atOnce =
  ({ store, clock }: ReleaseWorld): Release =>
  async ({ taskId, attempt, cluster, hostId }, failedToStart = false) => {
    if (hostId === undefined) return;
    await store.releaseClaims(cluster, hostId, [{ taskId, attempt, failedToStart }], clock.now());
  };

/** What a round of releases came to. */
export interface GivenBack {
  /** Tasks whose claims were there and are no more. */
  readonly released: readonly string[];
  /** Who wanted something released that could not be, and why. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * Claims that are given back together: attempts that end together have often run on the same hosts, and each host's record
 * is then written once. A process that dies before `giveBack` leaves claims of ended attempts, which `reconcile` finds.
 */
export class Releases {
  readonly #world: ReleaseWorld;
  readonly #hosts = new Map<
    string,
    { cluster: string; hostId: string; ends: ClaimEnd[]; owners: Set<string> }
  >();

  constructor(world: ReleaseWorld) {
    this.#world = world;
  }

  /** Puts releases off; `owner` is told if one fails. */
  of(owner: string): Release {
    return async ({ taskId, attempt, cluster, hostId }, failedToStart = false) => {
      if (hostId === undefined) return;
      const key = `${cluster}/${hostId}`;
      const host = this.#hosts.get(key) ?? { cluster, hostId, ends: [], owners: new Set() };
      this.#hosts.set(key, host);
      host.ends.push({ taskId, attempt, failedToStart });
      host.owners.add(owner);
    };
  }

  /** Gives back what has been put off since the last time. A host that fails does not keep the others. */
  async giveBack(): Promise<GivenBack> {
    const { store, clock } = this.#world;
    const released: string[] = [];
    const failed = new Map<string, unknown>();
    const hosts = [...this.#hosts.values()];
    this.#hosts.clear();
    await concurrently(hosts, HOSTS_AT_ONCE, async ({ cluster, hostId, ends, owners }) => {
      try {
        released.push(...(await store.releaseClaims(cluster, hostId, ends, clock.now())).released);
      } catch (error) {
        for (const owner of owners) failed.set(owner, error);
      }
    });
    return { released, failed };
  }

  /** The same for one who owns all of it: throws the first failure, afterwards. */
  async giveAllBack(): Promise<readonly string[]> {
    const { released, failed } = await this.giveBack();
    for (const error of failed.values()) throw error;
    return released;
  }
}
