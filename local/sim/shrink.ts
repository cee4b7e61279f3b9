import type { Invariant } from './checker.ts';
import { calm, type FaultKind, type FaultRates } from './faultRates.ts';
import { type Case, runCase } from './seedRun.ts';
import type { PortDecorators } from './simOptions.ts';

export interface Shrunk {
  readonly smallest: Case;
  readonly runs: number;
}

/**
 * Takes away whatever the violation does not need: kinds of fault, requests, what people do. Each stream of random
 * numbers is independent, so that most of a smaller run goes as the larger one did.
 */
export async function shrink(
  failing: Case,
  invariant: Invariant,
  decorators: PortDecorators | undefined,
  maxRuns = 400,
): Promise<Shrunk> {
  let smallest = failing;
  let runs = 0;
  const stillFails = async (candidate: Case): Promise<boolean> => {
    if (runs >= maxRuns) return false;
    runs += 1;
    const { violations } = await runCase(candidate, decorators === undefined ? {} : { decorators });
    return violations[0]?.invariant === invariant;
  };
  const attempt = async (candidate: Case): Promise<boolean> => {
    if (!(await stillFails(candidate))) return false;
    smallest = candidate;
    return true;
  };

  for (let before = -1; before !== sizeOf(smallest) && runs < maxRuns; ) {
    before = sizeOf(smallest);
    for (const kind of Object.keys(calm) as FaultKind[]) {
      if (smallest.rates[kind] === 0) continue;
      await attempt({ ...smallest, rates: { ...smallest.rates, [kind]: 0 } satisfies FaultRates });
    }
    await withoutChunks(
      () => smallest.plan.requests,
      (requests) => attempt({ ...smallest, plan: { ...smallest.plan, requests } }),
    );
    await withoutChunks(
      () => smallest.plan.actions,
      (actions) => attempt({ ...smallest, plan: { ...smallest.plan, actions } }),
    );
  }
  return { smallest, runs };
}

const sizeOf = ({ plan, rates }: Case): number =>
  plan.requests.length + plan.actions.length + Object.values(rates).filter((rate) => rate > 0).length;

/** Leaves out chunks of a list, large ones first, as long as `attempt` takes the rest (after ddmin, Zeller 2002). */
async function withoutChunks<T>(
  items: () => readonly T[],
  attempt: (rest: readonly T[]) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(items().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < items().length; ) {
      const rest = [...items().slice(0, start), ...items().slice(start + size)];
      if (!(await attempt(rest))) start += size;
    }
  }
}
