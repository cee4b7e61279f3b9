import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, expect, it } from 'vitest';
import { announceEnd, announceLeaving } from '../../layers/control/announce.ts';
import { endHost } from '../../layers/control/observeHost.ts';
import type { HostState } from '../../layers/domain/model/host.ts';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { endedFromImages, leavingFromImages } from '../../layers/store/hostItem.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { aCluster, aHost } from '../support/records.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

const ENDED_AT = aHost().launchedAt + 600_000;

it('announces a host that is given back and its end once, out of its record’s change alone', async () => {
  const table = await database.createTable();
  const store = createDynamoStore({ client: database.client, table });
  await store.ensureCluster(aCluster());
  const host = aHost();
  await store.addHost(host);
  const images: (Record<string, AttributeValue> | undefined)[] = [undefined];
  const remember = async (): Promise<void> => {
    const { Items = [] } = await database.client.send(new ScanCommand({ TableName: table }));
    images.push(Items.find((item) => item.kind?.S === 'HOST'));
  };
  await remember();
  const change = async (from: HostState, to: HostState, reason: string): Promise<void> => {
    const changed = await store.setHostState('prod', host.hostId, { from: [from], to, reason });
    expect(changed.outcome).toBe('applied');
    expect(changed.current).toEqual(await store.getHost('prod', host.hostId));
    await remember();
  };
  await change('READY', 'CORDONED', 'EC2 recommends to rebalance');
  await change('CORDONED', 'TERMINATING', 'empty for 60 s');
  await endHost({ store }, (await store.getHost('prod', host.hostId)) ?? host, 'EC2 ended it', ENDED_AT);
  await remember();
  await store.removeHost('prod', host.hostId, { ifEmpty: true });
  await remember();
  const announced = images.slice(1).flatMap((after, index) => {
    const leaving = leavingFromImages(images[index], after);
    const ended = endedFromImages(images[index], after);
    return [...(leaving ? announceLeaving(leaving) : []), ...(ended ? announceEnd(ended) : [])];
  });
  expect(announced).toEqual([
    {
      detailType: 'Cluster Scaled',
      detail: {
        cluster: 'prod',
        pool: 'general',
        direction: 'in',
        reason: 'empty for 60 s',
        hosts: [
          {
            hostId: host.hostId,
            instanceType: 'c6i.large',
            zone: 'us-east-1a',
            lifecycle: 'on-demand',
          },
        ],
      },
      resources: [host.hostId],
    },
    {
      detailType: 'Host Ended',
      detail: {
        cluster: 'prod',
        pool: 'general',
        hostId: host.hostId,
        instanceType: 'c6i.large',
        zone: 'us-east-1a',
        lifecycle: 'on-demand',
        reason: 'empty for 60 s',
        usdPerHour: host.usdPerHour,
        launchedAt: host.launchedAt,
        endedAt: ENDED_AT,
        billedSeconds: 600,
        usd: Math.round((host.usdPerHour / 6) * 1e6) / 1e6,
      },
      resources: [host.hostId],
    },
  ]);
});
