import { expect, it } from 'vitest';
import { aTask } from '../../test/support/records.ts';
import { toImage } from './expression.ts';
import { taskFromImage, taskItem } from './taskItem.ts';

it('gives back from a stream image the task that was stored, and nothing for other kinds', () => {
  const task = aTask({ spec: { ...aTask().spec, tags: { team: 'shop' } } });
  expect(taskFromImage(toImage(taskItem(task, 4)))).toEqual(task);
  expect(taskFromImage(toImage({ pk: 'x', kind: 'HOST' }))).toBeUndefined();
  expect(taskFromImage(undefined)).toBeUndefined();
});

it('shows the index only pending tasks', () => {
  expect(taskItem(aTask(), 1)).toHaveProperty('gsiPk', 'prod#PENDING#0');
  expect(taskItem(aTask({ state: 'RUNNING' }), 1)).not.toHaveProperty('gsiPk');
});
