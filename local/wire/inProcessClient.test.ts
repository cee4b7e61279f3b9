import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as sqs from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Operations, ServiceError } from '../engine/service.ts';
import { inProcessClient } from './inProcessClient.ts';
import { modelOf } from './model.ts';
import { startWire } from './server.ts';
import { valuesOf } from './shapeArbitrary.ts';

const ecsClient = (operations: Operations) =>
  inProcessClient<ecs.ECSClient>({ sdk: ecs, service: { signingName: 'ecs', operations } });

test('runs a command and gives its output with metadata', async () => {
  const client = ecsClient({
    StopTask: ({ task }: ecs.StopTaskRequest): ecs.StopTaskResponse => ({ task: { taskArn: task } }),
  });
  const output = await client.send(new ecs.StopTaskCommand({ task: 't-1' }));
  expect(output.task?.taskArn).toBe('t-1');
  expect(output.$metadata).toEqual({ httpStatusCode: 200, requestId: 'ecs-1', attempts: 1 });
});

test('caller and engine share no object', async () => {
  const kept: { input?: ecs.RunTaskRequest; output: ecs.RunTaskResponse } = {
    output: { tasks: [{ createdAt: new Date(1000), tags: [{ key: 'a' }] }] },
  };
  const client = ecsClient({
    RunTask(input: ecs.RunTaskRequest) {
      kept.input = input;
      return kept.output;
    },
  });
  const sent: ecs.RunTaskRequest = { taskDefinition: 'web', tags: [{ key: 'k' }] };
  const received = await client.send(new ecs.RunTaskCommand(sent));
  expect(kept.input).toEqual(sent);
  expect(kept.input?.tags?.[0]).not.toBe(sent.tags?.[0]);
  expect(received.tasks).toEqual(kept.output.tasks);
  expect(received.tasks?.[0]?.createdAt).not.toBe(kept.output.tasks?.[0]?.createdAt);
});

test('leaves out what the schema does not know', async () => {
  const client = ecsClient({ StopTask: () => ({ task: { taskArn: 'a', internal: 1 }, trace: 'x' }) });
  const { $metadata, ...output } = await client.send(new ecs.StopTaskCommand({ task: 't' }));
  expect(output).toEqual({ task: { taskArn: 'a' } });
});

test('throws modelled errors as their own class, with their fields', async () => {
  const client = inProcessClient<sqs.SQSClient>({
    sdk: sqs,
    service: {
      signingName: 'sqs',
      operations: {
        GetQueueUrl() {
          throw new ServiceError('AWS.SimpleQueueService.NonExistentQueue', 'no queue');
        },
      },
    },
  });
  const thrown = await client.send(new sqs.GetQueueUrlCommand({ QueueName: 'q' })).catch((error) => error);
  expect(thrown).toBeInstanceOf(sqs.QueueDoesNotExist);
  expect(thrown).toMatchObject({ name: 'QueueDoesNotExist', message: 'no queue', $fault: 'client' });
});

test('throws other errors as the service’s base class under their code', async () => {
  const client = inProcessClient<ec2.EC2Client>({
    sdk: ec2,
    service: {
      signingName: 'ec2',
      operations: {
        DescribeInstances() {
          throw new ServiceError('RequestLimitExceeded', 'slow down', 503);
        },
      },
    },
  });
  const thrown = await client.send(new ec2.DescribeInstancesCommand({})).catch((error) => error);
  expect(thrown).toBeInstanceOf(ec2.EC2ServiceException);
  expect(thrown).toMatchObject({
    name: 'RequestLimitExceeded',
    message: 'slow down',
    $fault: 'server',
    $metadata: { httpStatusCode: 503 },
  });
});

test('refuses what the wire would refuse, with the same error', async () => {
  const operations = { StopTask: () => ({}) };
  const binding = { sdk: ecs, service: { signingName: 'ecs', operations } };
  const wire = await startWire({ port: 0, log: () => {}, services: [binding] });
  const real = new ecs.ECSClient({
    endpoint: wire.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const commands = [
    () => new ecs.StopTaskCommand({ task: undefined }),
    () => new ecs.StopTaskCommand({ task: 1 as unknown as string }),
    () => new ecs.ListClustersCommand({}),
  ];
  for (const command of commands) {
    const overWire = await real.send(command() as ecs.StopTaskCommand).catch((error) => error);
    const inProcess = await ecsClient(operations)
      .send(command() as ecs.StopTaskCommand)
      .catch((error) => error);
    expect(inProcess.name).toBe(overWire.name);
    expect(inProcess.message).toBe(overWire.message);
    expect(inProcess.constructor).toBe(overWire.constructor);
  }
  real.destroy();
  await wire.close();
});

test('an aborted call rejects at once and tells the engine', async () => {
  const told = Promise.withResolvers<void>();
  const client = ecsClient({
    StopTask: (_, { signal }) => {
      signal?.addEventListener('abort', () => told.resolve());
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const sent = client.send(new ecs.StopTaskCommand({ task: 't' }), { abortSignal: controller.signal });
  controller.abort();
  await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  await told.promise;
});

test('an engine’s own failure is not dressed up as a service error', async () => {
  const client = ecsClient({
    StopTask() {
      throw new TypeError('a bug');
    },
  });
  await expect(client.send(new ecs.StopTaskCommand({ task: 't' }))).rejects.toBeInstanceOf(TypeError);
});

test('carries any input and output of any operation unchanged', async () => {
  const { operations } = modelOf(ecs);
  const limits = { nonEmpty: false, xmlText: false };
  const exchanges = fc.constantFrom(...operations.values()).chain((operation) =>
    fc.record({
      name: fc.constant(operation.name),
      input: valuesOf(operation.input, limits),
      output: valuesOf(operation.output, limits),
    }),
  );
  await fc.assert(
    fc.asyncProperty(exchanges, async ({ name, input, output }) => {
      let received: unknown;
      const client = ecsClient({
        [name](sent: unknown) {
          received = sent;
          return output;
        },
      });
      const Command = (ecs as Record<string, unknown>)[`${name}Command`] as new (input: unknown) => never;
      const { $metadata, ...answer } = (await client.send(new Command(input))) as object as Record<
        string,
        unknown
      >;
      expect(received).toEqual(input);
      expect(answer).toEqual(output);
    }),
    { numRuns: 100 },
  );
});
