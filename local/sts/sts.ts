import type { GetCallerIdentityCommandOutput } from '@aws-sdk/client-sts';
import type { EngineContext, Service } from '../engine/service.ts';

/** STS as far as clients ask who they are: the embedded AWS has one account and everyone is its root. */
export function stsService({ accountId }: Pick<EngineContext, 'accountId'>): Service {
  return {
    signingName: 'sts',
    operations: {
      GetCallerIdentity: (): Omit<GetCallerIdentityCommandOutput, '$metadata'> => ({
        Account: accountId,
        UserId: accountId,
        Arn: `arn:aws:iam::${accountId}:root`,
      }),
    },
  };
}
