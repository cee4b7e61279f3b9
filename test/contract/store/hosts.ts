import { describe, expect, it } from 'vitest';
import { aBought, aHost, anOrder } from '../../support/records.ts';
import type { StoreWorld } from './world.ts';

export function hostsContract(world: StoreWorld): void {
  describe('hosts', () => {
    it('adds a host once and lists those of all cells', async () => {
      const hosts = Array.from({ length: 12 }, (_, index) =>
        aHost({ hostId: `i-${String(index).padStart(2, '0')}` }),
      );
      for (const host of hosts.toReversed()) {
        expect(await world.store.addHost(host)).toEqual({ outcome: 'applied', current: host });
      }
      expect(await world.store.listHosts('prod')).toEqual(hosts);
      expect(await world.store.listHosts('nowhere')).toEqual([]);
      expect(await world.store.listHosts('prod', ['i-07', 'i-none', 'i-02', 'i-07'])).toEqual([
        hosts[2],
        hosts[7],
      ]);
      expect(await world.store.listHosts('prod', [])).toEqual([]);
      expect(await world.store.addHost(aHost({ hostId: 'i-00', pool: 'other' }))).toEqual({
        outcome: 'refused',
        current: hosts[0],
      });
    });

    it('adds a bought host only while its order is open', async () => {
      const host = aHost({ orderId: 'order1' });
      expect(await world.store.addHost(host)).toEqual({ outcome: 'refused', current: undefined });
      await world.store.openOrder(anOrder(), undefined);
      const other = aHost({ hostId: 'i-other', orderId: 'order2' });
      expect((await world.store.addHost(other)).outcome).toBe('refused');
      expect((await world.store.addHost(host)).outcome).toBe('applied');
      expect(await world.store.addHost(host)).toEqual({ outcome: 'refused', current: host });
      await world.store.removeHost('prod', host.hostId, { ifEmpty: true });
      const end = { state: 'DONE', bought: [aBought()], errors: [] } as const;
      await world.store.closeOrder('prod', 'general', 'order1', end);
      expect(await world.store.addHost(host)).toEqual({ outcome: 'refused', current: undefined });
    });

    it('lists hosts with what their agents report of pressure and of what they cannot do', async () => {
      const containerInstanceArn = 'arn:aws:ecs:eu-west-1:123456789012:container-instance/prod/abc';
      const silent = await world.added({ hostId: 'i-1', containerInstanceArn });
      const telling = await world.added({ hostId: 'i-2', containerInstanceArn });
      const booting = await world.added({ hostId: 'i-3', state: 'BOOTING' });
      const cannot = ['memoryMin'];
      const report = { seenAt: 7, pressure: { cpu: 0.5, memory: 0, io: 0.25 }, cannot };
      await world.report('arn:aws:ec2:eu-west-1:123456789012:instance/i-2', report);
      const { seenAt: agentSeenAt, pressure } = report;
      expect(await world.store.listHosts('prod')).toEqual([
        silent,
        { ...telling, agentSeenAt, pressure, cannot },
        booting,
      ]);
      expect(await world.store.listHosts('prod', ['i-2'])).toEqual([
        { ...telling, agentSeenAt, pressure, cannot },
      ]);
      expect(await world.store.getHost('prod', 'i-2')).toEqual(telling);
    });

    const registration = {
      containerInstanceArn: 'arn:ci:1',
      capacity: { cpu: 1000, memory: 2000 },
      attributes: { 'ecs.os-type': 'linux' },
      ecsVersion: 4,
      registeredAt: 50,
    };

    it('registers a booting host as ready and idle, with what ECS says it has', async () => {
      const host = await world.added({ state: 'BOOTING', stateReason: 'bought' });
      expect(await world.store.registerHost('prod', host.hostId, registration)).toEqual({
        outcome: 'applied',
        current: {
          ...host,
          ...registration,
          left: registration.capacity,
          state: 'READY',
          stateReason: 'registered in ECS',
          idleSince: 50,
        },
      });
      expect((await world.store.registerHost('prod', host.hostId, registration)).outcome).toBe('refused');
      expect((await world.store.registerHost('prod', 'i-none', registration)).current).toBeUndefined();
    });

    it('keeps claims out of what a new registration leaves, and takes a later one whatever its version, without claims', async () => {
      const { host } = await world.placedTask();
      const first = await world.store.registerHost('prod', host.hostId, registration);
      expect(first.current?.left).toEqual({ cpu: 744, memory: 1488 });
      const later = { ...registration, containerInstanceArn: 'arn:ci:2', ecsVersion: 1, registeredAt: 60 };
      expect(await world.store.registerHost('prod', host.hostId, later)).toEqual({
        outcome: 'refused',
        current: first.current,
      });
      await world.store.releaseClaims('prod', host.hostId, [{ taskId: 't1', attempt: 1 }], 55);
      expect(await world.store.registerHost('prod', host.hostId, later)).toMatchObject({
        outcome: 'applied',
        current: { containerInstanceArn: 'arn:ci:2', state: 'READY' },
      });
      await world.store.setHostState('prod', host.hostId, {
        from: ['READY'],
        to: 'TERMINATING',
        reason: 'lost',
      });
      const afterwards = { ...later, ecsVersion: 9, registeredAt: 70 };
      expect((await world.store.registerHost('prod', host.hostId, afterwards)).outcome).toBe('refused');
    });

    it('changes state under its guards, and starts a new epoch with TERMINATING', async () => {
      const { host } = await world.placedTask();
      const cordon = { from: ['READY', 'BOOTING'], to: 'CORDONED', reason: 'spot warning' } as const;
      expect(
        (await world.store.setHostState('prod', host.hostId, { ...cordon, ifEmpty: true })).outcome,
      ).toBe('refused');
      expect((await world.store.setHostState('prod', host.hostId, { ...cordon, epoch: 1 })).outcome).toBe(
        'refused',
      );
      expect((await world.store.setHostState('prod', host.hostId, { ...cordon, from: [] })).outcome).toBe(
        'refused',
      );
      expect((await world.store.setHostState('prod', 'i-none', cordon)).current).toBeUndefined();
      const anew = { ...cordon, registeredAt: 50 };
      expect((await world.store.setHostState('prod', host.hostId, anew)).outcome).toBe('refused');
      const cordoned = await world.store.setHostState('prod', host.hostId, { ...cordon, epoch: 0 });
      expect(cordoned).toMatchObject({
        outcome: 'applied',
        current: { state: 'CORDONED', epoch: 0, pool: host.pool },
      });
      expect(cordoned.current?.claims).toHaveProperty('t1');
      await world.store.registerHost('prod', host.hostId, registration);
      expect(
        (await world.store.setHostState('prod', host.hostId, { ...anew, from: ['CORDONED'] })).outcome,
      ).toBe('applied');
      const again = { ...cordon, from: ['CORDONED'], atMs: 7 } as const;
      expect((await world.store.setHostState('prod', host.hostId, again)).current?.stateSince).toBe(7);
      await world.store.setHostState('prod', host.hostId, { ...cordon, from: ['CORDONED'] });
      expect(await world.store.getHost('prod', host.hostId)).not.toHaveProperty('stateSince');
      const repeat = await world.store.setHostState('prod', host.hostId, cordon);
      expect(repeat).toMatchObject({ outcome: 'refused', current: { state: 'CORDONED' } });
      const end = { from: ['CORDONED'], to: 'TERMINATING', reason: 'lost' } as const;
      expect(await world.store.setHostState('prod', host.hostId, end)).toMatchObject({
        outcome: 'applied',
        current: { epoch: 1, stateReason: 'lost' },
      });
    });

    it('removes a host, when asked only an empty one, and returns its last claims', async () => {
      const { host } = await world.placedTask();
      expect((await world.store.removeHost('prod', host.hostId, { ifEmpty: true })).outcome).toBe('refused');
      const removed = await world.store.removeHost('prod', host.hostId, { ifEmpty: false });
      expect(removed.outcome).toBe('applied');
      expect(Object.keys(removed.current?.claims ?? {})).toEqual(['t1']);
      expect(await world.store.removeHost('prod', host.hostId, { ifEmpty: false })).toEqual({
        outcome: 'refused',
        current: undefined,
      });
      expect(await world.store.listHosts('prod')).toEqual([]);
      expect((await world.store.addHost(host)).outcome).toBe('applied');
    });
  });
}
