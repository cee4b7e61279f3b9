import { describe, expect, it } from 'vitest';
import type { Bus } from '../ports/bus.ts';
import type { Store } from '../ports/store.ts';
import { createDeps, type Need } from './deps.ts';

const never = (): never => {
  throw new Error('made too early');
};

describe('dependencies', () => {
  it('are made when they are first used, once', () => {
    let made = 0;
    const bus = {} as Bus;
    const need: Need<Bus> = {
      requires: ['busName'],
      create: ({ settings }) => {
        expect(settings.busName).toBe('berth');
        made += 1;
        return bus;
      },
    };
    const store: Need<Store> = { requires: [], create: never };
    const deps = createDeps({ bus: need, store }, { BERTH_BUS: 'berth' });
    expect(made).toBe(0);
    expect(deps.bus).toBe(bus);
    expect(deps.bus).toBe(bus);
    expect(made).toBe(1);
  });

  it('are refused at the start when their settings are missing', () => {
    const store: Need<Store> = { requires: ['tableName', 'busName'], create: never };
    expect(() => createDeps({ store }, {})).toThrow(/BERTH_TABLE.*BERTH_BUS/);
  });

  it('come with ids that are unique, short and plain', () => {
    const { ids } = createDeps({}, {});
    const made = Array.from({ length: 1000 }, () => ids.next());
    expect(new Set(made).size).toBe(1000);
    for (const id of made) expect(id).toMatch(/^[a-z0-9]{1,26}$/);
  });
});
