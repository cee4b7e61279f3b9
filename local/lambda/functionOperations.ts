import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as api from '@aws-sdk/client-lambda';
import { type Operations, ServiceError } from '../engine/service.ts';
import { type FunctionRecord, logGroupOf } from './function.ts';
import type { Functions } from './functions.ts';
import { page } from './page.ts';

/** Size and digest of the handler's file, which is the whole of a bundled function. */
function codeOf(fn: FunctionRecord): { CodeSize: number; CodeSha256: string } {
  const base = join(fn.codeDir, fn.handler.slice(0, fn.handler.lastIndexOf('.')));
  for (const extension of ['.mjs', '.js', '.cjs']) {
    try {
      const bytes = readFileSync(base + extension);
      return { CodeSize: bytes.length, CodeSha256: createHash('sha256').update(bytes).digest('base64') };
    } catch {
      // Not this extension.
    }
  }
  return { CodeSize: 0, CodeSha256: '' };
}

function configuration(fn: FunctionRecord): api.FunctionConfiguration {
  const { deadLetterArn } = fn.asyncInvoke;
  return {
    FunctionName: fn.name,
    FunctionArn: fn.arn,
    Runtime: 'nodejs24.x',
    Role: fn.roleArn ?? '',
    Handler: fn.handler,
    ...codeOf(fn),
    Description: fn.description ?? '',
    Timeout: fn.timeoutSeconds,
    MemorySize: fn.memoryMiB,
    LastModified: new Date(fn.lastModifiedMs).toISOString().replace('Z', '+0000'),
    Version: '$LATEST',
    ...(Object.keys(fn.environment).length > 0 ? { Environment: { Variables: { ...fn.environment } } } : {}),
    ...(deadLetterArn ? { DeadLetterConfig: { TargetArn: deadLetterArn } } : {}),
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: fn.revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [process.arch === 'arm64' ? 'arm64' : 'x86_64'],
    EphemeralStorage: { Size: 512 },
    LoggingConfig: { LogFormat: fn.logFormat, LogGroup: logGroupOf(fn.name) },
  };
}

const concurrencyOf = (fn: FunctionRecord): api.Concurrency =>
  fn.reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: fn.reservedConcurrency };

/** The operations on functions themselves. What a template fixes (code, role) cannot be changed through them. */
export function functionOperations(functions: Functions): Operations {
  return {
    GetFunction: (input: api.GetFunctionCommandInput) => {
      const fn = functions.get(input.FunctionName, input.Qualifier);
      return {
        Configuration: configuration(fn),
        Code: { RepositoryType: 'S3', Location: pathToFileURL(fn.codeDir).href },
        ...(fn.reservedConcurrency === undefined ? {} : { Concurrency: concurrencyOf(fn) }),
      };
    },
    GetFunctionConfiguration: (input: api.GetFunctionConfigurationCommandInput) =>
      configuration(functions.get(input.FunctionName, input.Qualifier)),
    ListFunctions: (input: api.ListFunctionsCommandInput) => {
      const { items, next } = page([...functions.all()], input.Marker, input.MaxItems ?? 50);
      return { Functions: items.map(configuration), ...(next ? { NextMarker: next } : {}) };
    },
    UpdateFunctionConfiguration: (input: api.UpdateFunctionConfigurationCommandInput) => {
      const fn = functions.get(input.FunctionName);
      if (input.RevisionId && input.RevisionId !== fn.revisionId) {
        throw new ServiceError(
          'PreconditionFailedException',
          'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to ' +
            'retrieve the latest Revision Id',
          412,
          { Type: 'User' },
        );
      }
      const asyncInvoke = input.DeadLetterConfig
        ? { ...fn.asyncInvoke, deadLetterArn: input.DeadLetterConfig.TargetArn ?? '' }
        : fn.asyncInvoke;
      const changed = functions.put({
        ...fn,
        asyncInvoke,
        ...(input.Timeout === undefined ? {} : { timeoutSeconds: input.Timeout }),
        ...(input.MemorySize === undefined ? {} : { memoryMiB: input.MemorySize }),
        ...(input.Description === undefined ? {} : { description: input.Description }),
        ...(input.Environment ? { environment: { ...input.Environment.Variables } } : {}),
        ...(input.LoggingConfig?.LogFormat ? { logFormat: input.LoggingConfig.LogFormat } : {}),
      });
      return configuration(changed);
    },
    PutFunctionConcurrency: (input: api.PutFunctionConcurrencyCommandInput) => {
      const fn = functions.get(input.FunctionName);
      const reservedConcurrency = input.ReservedConcurrentExecutions;
      if (reservedConcurrency === undefined) {
        throw new ServiceError('InvalidParameterValueException', 'ReservedConcurrentExecutions is required');
      }
      return concurrencyOf(functions.put({ ...fn, reservedConcurrency }));
    },
    GetFunctionConcurrency: (input: api.GetFunctionConcurrencyCommandInput) =>
      concurrencyOf(functions.get(input.FunctionName)),
    DeleteFunctionConcurrency: (input: api.DeleteFunctionConcurrencyCommandInput) => {
      const { reservedConcurrency: _, ...rest } = functions.get(input.FunctionName);
      functions.put(rest);
      return {};
    },
  };
}
