import { afterAll, expect, it } from 'vitest';
import type { Store } from '../../layers/ports/store.ts';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { CLUSTER } from '../../local/sim/plan.ts';
import { caseOf, runCase, usualSeed } from '../../local/sim/seedRun.ts';
import { perform, type StoreCommand } from '../contract/storeCommands.ts';
import { startDynoxide } from '../support/dynoxide.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

const seeds = Number(process.env.BERTH_REPLAY_SEEDS ?? 2);

interface Answered extends StoreCommand {
  readonly answer: Promise<unknown>;
}

/** Notes every call in the order in which it takes effect: the memory store carries each out at once. */
function noting(store: Store, calls: Answered[]): Store {
  return new Proxy(store, {
    get(target, call: keyof Store) {
      const method = target[call] as (...args: readonly unknown[]) => Promise<unknown>;
      return (...args: readonly unknown[]) => {
        const answer = method.apply(target, [...args]);
        calls.push({ call, args: structuredClone(args), answer });
        return answer;
      };
    },
  });
}

it(
  `answers on DynamoDB every call of ${seeds} simulated storms as the memory store did`,
  async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const calls: Answered[] = [];
      const { plan, rates } = caseOf(seed, { ...usualSeed, tasks: 30 });
      // What a lagging index shows depends on the moment; all else of the answers is exact.
      const steady = { seed, plan, rates: { ...rates, staleIndex: 0 } };
      await runCase(steady, { decorators: { store: (store) => noting(store, calls) } });
      expect(calls.length).toBeGreaterThan(300);

      const dynamo = createDynamoStore({ client: database.client, table: await database.createTable() });
      await dynamo.ensureCluster({
        name: CLUSTER,
        cells: plan.cells ?? 1,
        paused: false,
        pools: [plan.pool],
      });
      for (const [index, command] of calls.entries()) {
        const where = `seed ${seed}, call ${index}: ${command.call}(${JSON.stringify(command.args)})`;
        expect(await perform(dynamo, command), where).toEqual(await command.answer);
      }
    }
  },
  60_000 + seeds * 30_000,
);
