import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { aHost } from '../../test/support/records.ts';
import { scriptedClient } from '../../test/support/scriptedClient.ts';
import { agentReports } from './agentReports.ts';
import { toImage } from './expression.ts';
import { defaultRetryBounds } from './retry.ts';

const containerInstanceArn = 'arn:aws:ecs:eu-west-1:1:container-instance/prod/abc';

it('reads the reports of hosts in batches, cheaply, and again only when they may have changed', async () => {
  let now = 1_000_000;
  const answer = ({ RequestItems }: { RequestItems: { t: { Keys: { pk: { S: string } }[] } } }) => ({
    Responses: {
      t: RequestItems.t.Keys.map(({ pk }) =>
        toImage({ pk: pk.S, seenAt: now, pressure: { cpu: 0, memory: 0, io: 0 } }),
      ),
    },
  });
  const { client, inputs } = scriptedClient<DynamoDBClient>({ BatchGetItem: [answer] });
  const table = { client, name: 't', retry: defaultRetryBounds, cellsOf: async () => 1 };
  const withReports = agentReports(table, () => now);
  const hosts = Array.from({ length: 900 }, (_, n) => aHost({ hostId: `i-${n}`, containerInstanceArn }));
  const booting = aHost({ hostId: 'i-booting', state: 'BOOTING' });
  const listed = await withReports([...hosts, booting]);
  expect(listed.map(({ hostId }) => hostId)).toEqual([...hosts, booting].map(({ hostId }) => hostId));
  expect(listed.filter(({ agentSeenAt }) => agentSeenAt === now)).toHaveLength(900);
  expect(listed.at(-1)).toEqual(booting);
  expect(inputs('BatchGetItem')).toHaveLength(16);
  expect(inputs('BatchGetItem')[0]).toMatchObject({ RequestItems: { t: { ConsistentRead: false } } });

  now += 14_999;
  expect((await withReports(hosts))[0]?.agentSeenAt).toBe(1_000_000);
  expect(inputs('BatchGetItem')).toHaveLength(16);
  now += 1;
  expect((await withReports(hosts))[0]?.agentSeenAt).toBe(now);
  expect(inputs('BatchGetItem')).toHaveLength(32);
});
