import type { Service } from '../../engine/service.ts';
import type { Provider } from '../resolve.ts';
import { call, makeOrFind } from './call.ts';

/** Alarms and log groups. */
export function watchingProviders(
  { cloudwatch, logs }: { readonly cloudwatch: Service; readonly logs: Service },
  place: { readonly region: string; readonly accountId: string },
): Record<string, Provider> {
  return {
    'AWS::CloudWatch::Alarm': async ({ logicalId, properties }) => {
      const AlarmName = String(properties.AlarmName ?? `berth-${logicalId}`);
      await call(cloudwatch, 'PutMetricAlarm', { ...properties, AlarmName });
      return {
        ref: AlarmName,
        attributes: { Arn: `arn:aws:cloudwatch:${place.region}:${place.accountId}:alarm:${AlarmName}` },
      };
    },
    'AWS::Logs::LogGroup': async ({ logicalId, properties }) => {
      const logGroupName = String(properties.LogGroupName ?? `/berth/${logicalId}`);
      await makeOrFind<unknown>(
        () => call(logs, 'CreateLogGroup', { logGroupName }),
        ['ResourceAlreadyExistsException'],
        () => undefined,
      );
      return {
        ref: logGroupName,
        attributes: { Arn: `arn:aws:logs:${place.region}:${place.accountId}:log-group:${logGroupName}:*` },
      };
    },
  };
}
