import { afterAll, expect, it } from 'vitest';
import { meterCapacity } from '../support/consumedCapacity.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { passReadUnits } from '../support/passReadUnits.ts';

const database = await startDynoxide();
const meter = meterCapacity(database.client);
afterAll(() => database.stop());

/** The cluster and its pools, the task, orders and shortages, half a unit a cell for the queue, and the host placed on before. */
const BUDGET = 8;

it('reads for an arrival what has changed, however many hosts there are', async () => {
  const few = await passReadUnits(database, meter, { hosts: 40, cells: 4 });
  const many = await passReadUnits(database, meter, { hosts: 160, cells: 4 });
  expect(many.whole).toBeGreaterThan(few.whole + 90);
  expect(many.arrival).toBe(few.arrival);
  expect(many.arrival).toBeLessThanOrEqual(BUDGET);
});
