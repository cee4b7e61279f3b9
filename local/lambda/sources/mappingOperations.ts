import type * as api from '@aws-sdk/client-lambda';
import { type EngineContext, type Operations, ServiceError } from '../../engine/service.ts';
import { functionNameOf } from '../function.ts';
import type { Functions } from '../functions.ts';
import { page } from '../page.ts';
import { isStream, type MappingRecord, type MappingSpec } from './mapping.ts';
import type { Mappings } from './mappings.ts';

function configuration(record: MappingRecord, context: EngineContext): api.EventSourceMappingConfiguration {
  const { region, accountId } = context;
  const stream = isStream(record.eventSourceArn);
  const base = `arn:aws:lambda:${region}:${accountId}`;
  return {
    UUID: record.uuid,
    EventSourceMappingArn: `${base}:event-source-mapping:${record.uuid}`,
    EventSourceArn: record.eventSourceArn,
    FunctionArn: `${base}:function:${record.functionName}`,
    BatchSize: record.batchSize,
    MaximumBatchingWindowInSeconds: record.maximumBatchingWindowSeconds,
    LastModified: new Date(record.lastModifiedMs),
    State: record.enabled ? 'Enabled' : 'Disabled',
    StateTransitionReason: 'USER_INITIATED',
    FunctionResponseTypes: record.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    ...(record.filterPatterns?.length
      ? { FilterCriteria: { Filters: record.filterPatterns.map((Pattern) => ({ Pattern })) } }
      : {}),
    ...(record.maximumConcurrency === undefined
      ? {}
      : { ScalingConfig: { MaximumConcurrency: record.maximumConcurrency } }),
    ...(stream && {
      StartingPosition: record.startingPosition,
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: record.bisectBatchOnFunctionError ?? false,
      MaximumRetryAttempts: record.maximumRetryAttempts ?? -1,
      MaximumRecordAgeInSeconds: record.maximumRecordAgeSeconds ?? -1,
      TumblingWindowInSeconds: 0,
      DestinationConfig: { OnFailure: record.onFailureArn ? { Destination: record.onFailureArn } : {} },
    }),
  };
}

type Input = api.CreateEventSourceMappingCommandInput | api.UpdateEventSourceMappingCommandInput;

/** Members that the input sets, in the engine's words; what is absent stays as it was. */
function changesOf(input: Input): Partial<MappingSpec> {
  if ((input.ParallelizationFactor ?? 1) !== 1 || (input.TumblingWindowInSeconds ?? 0) !== 0) {
    throw new ServiceError(
      'InvalidParameterValueException',
      'ParallelizationFactor and TumblingWindowInSeconds are not supported by this endpoint.',
      400,
      { Type: 'User' },
    );
  }
  const changes: Record<string, unknown> = {
    enabled: input.Enabled,
    batchSize: input.BatchSize,
    maximumBatchingWindowSeconds: input.MaximumBatchingWindowInSeconds,
    reportBatchItemFailures: input.FunctionResponseTypes?.includes('ReportBatchItemFailures'),
    maximumConcurrency: input.ScalingConfig?.MaximumConcurrency,
    filterPatterns: input.FilterCriteria?.Filters?.map(({ Pattern }) => Pattern ?? ''),
    bisectBatchOnFunctionError: input.BisectBatchOnFunctionError,
    maximumRetryAttempts: input.MaximumRetryAttempts,
    maximumRecordAgeSeconds: input.MaximumRecordAgeInSeconds,
    onFailureArn: input.DestinationConfig?.OnFailure?.Destination,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/** The operations on event source mappings of queues and DynamoDB streams. */
export function mappingOperations(
  mappings: Mappings,
  functions: Functions,
  context: EngineContext,
): Operations {
  return {
    CreateEventSourceMapping: (input: api.CreateEventSourceMappingCommandInput) => {
      const fn = functions.get(input.FunctionName);
      const eventSourceArn = input.EventSourceArn ?? '';
      const existing = mappings.find({ functionName: fn.name, eventSourceArn });
      if (existing) {
        throw new ServiceError(
          'ResourceConflictException',
          `An event source mapping with event source arn ("${eventSourceArn}") and function name ("${fn.name}") ` +
            `already exists. Please update or delete the existing mapping with UUID ${existing.uuid}`,
          409,
          { Type: 'User' },
        );
      }
      const position = input.StartingPosition;
      if (position === 'AT_TIMESTAMP') {
        throw new ServiceError(
          'InvalidParameterValueException',
          'AT_TIMESTAMP is not valid for DynamoDB streams.',
        );
      }
      const record = mappings.put({
        functionName: fn.name,
        eventSourceArn,
        ...(position ? { startingPosition: position } : {}),
        ...changesOf(input),
      });
      return { ...configuration(record, context), State: record.enabled ? 'Creating' : 'Disabled' };
    },
    GetEventSourceMapping: (input: api.GetEventSourceMappingCommandInput) =>
      configuration(mappings.get(input.UUID), context),
    ListEventSourceMappings: (input: api.ListEventSourceMappingsCommandInput) => {
      const name = input.FunctionName ? functionNameOf(input.FunctionName) : undefined;
      const wanted = [...mappings.all()].filter(
        (record) =>
          (name === undefined || record.functionName === name) &&
          (input.EventSourceArn === undefined || record.eventSourceArn === input.EventSourceArn),
      );
      const { items, next } = page(wanted, input.Marker, input.MaxItems ?? 100);
      return {
        EventSourceMappings: items.map((record) => configuration(record, context)),
        ...(next ? { NextMarker: next } : {}),
      };
    },
    UpdateEventSourceMapping: (input: api.UpdateEventSourceMappingCommandInput) => {
      const record = mappings.get(input.UUID);
      const functionName = input.FunctionName ? functions.get(input.FunctionName).name : record.functionName;
      const changed = mappings.put({ ...record, functionName, ...changesOf(input) }, record.uuid);
      return { ...configuration(changed, context), State: 'Updating' };
    },
    DeleteEventSourceMapping: async (input: api.DeleteEventSourceMappingCommandInput) => {
      const record = mappings.get(input.UUID);
      await mappings.delete(record.uuid);
      return { ...configuration(record, context), State: 'Deleting' };
    },
  };
}
