import * as sts from '@aws-sdk/client-sts';
import { expect, test } from 'vitest';
import { inProcessClient } from '../wire/inProcessClient.ts';
import { stsService } from './sts.ts';

test('the caller is the root of the account', async () => {
  const service = stsService({ accountId: '123456789012' });
  const client = inProcessClient<sts.STSClient>({ sdk: sts, service });
  const { $metadata, ...identity } = await client.send(new sts.GetCallerIdentityCommand({}));
  expect(identity).toEqual({
    Account: '123456789012',
    UserId: '123456789012',
    Arn: 'arn:aws:iam::123456789012:root',
  });
});
