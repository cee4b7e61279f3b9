import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { createCloudWatch } from './cloudwatch/cloudwatch.ts';
import { type Compute, createCompute } from './compute.ts';
import { startDynamoDb } from './dynamodb/dynamodb.ts';
import { systemClock } from './engine/clock.ts';
import { noFaults } from './engine/faults.ts';
import { type Deliverer, type EngineContext, ServiceError } from './engine/service.ts';
import { sqliteState } from './engine/state.ts';
import { createEvents } from './events/engine.ts';
import { startHosts } from './hosts/startHosts.ts';
import { Permissions } from './iam/permissions.ts';
import { surroundingsOf } from './iam/surroundings.ts';
import { createLambda, type Lambda } from './lambda/lambda.ts';
import { processRunners } from './lambda/processes/processRunner.ts';
import { dynamoSource } from './lambda/sources/dynamoSource.ts';
import { sqsSource } from './lambda/sources/sqsSource.ts';
import { createLogs } from './logs/logs.ts';
import { queueMetrics } from './queueMetrics.ts';
import { createScheduler } from './scheduler/engine.ts';
import { bindServices } from './services.ts';
import { createSns } from './sns/engine.ts';
import { createSqs } from './sqs/engine.ts';
import { stsService } from './sts/sts.ts';
import { deployTemplate } from './template/deploy.ts';
import type { Stack } from './template/resolve.ts';
import { startWire } from './wire/server.ts';

export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';

export interface EmbeddedAwsOptions {
  readonly dataDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly bootMs: number;
  /** Template parameters over its defaults. */
  readonly parameters: Readonly<Record<string, string>>;
  stage(text: string): void;
  log(line: string): void;
}

export interface EmbeddedAws {
  readonly url: string;
  readonly stack: Stack;
  readonly compute: Compute;
  /** Invokes the operator's function and returns its answer. */
  operate(command: object): Promise<Record<string, unknown>>;
  /** Stops everything and removes containers, cgroups and processes; the state stays. */
  close(): Promise<void>;
}

const root = resolve(import.meta.dirname, '..');

/**
 * The whole embedded AWS on this machine: engines over durable state, real functions in processes, real hosts in Docker,
 * everything that template.yaml declares, on one endpoint.
 */
export async function startEmbeddedAws(options: EmbeddedAwsOptions): Promise<EmbeddedAws> {
  const closing: Closing = [];
  try {
    return await start(options, closing);
  } catch (error) {
    // What had started by then is stopped, so that a failed start leaves nothing behind.
    await closeAll(closing).catch((cause: Error) => options.log(`while stopping: ${cause.message}`));
    throw error;
  }
}

/** What has been started, in order; it is stopped in the reverse. */
type Closing = (() => void | Promise<void>)[];

async function start(options: EmbeddedAwsOptions, closing: Closing): Promise<EmbeddedAws> {
  const { dataDir, log, stage } = options;
  mkdirSync(dataDir, { recursive: true });
  const port = options.port === 0 ? await freePort() : options.port;
  const url = `http://127.0.0.1:${port}`;
  const context: EngineContext = {
    region: REGION,
    accountId: ACCOUNT_ID,
    clock: systemClock,
    state: sqliteState(join(dataDir, 'engines.sqlite')),
    faults: noFaults,
    hex: (length) =>
      randomBytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length),
    log,
  };
  const credentials = { accessKeyId: 'berth', secretAccessKey: 'berth' };

  let compute: Compute | undefined;
  const permissions = new Permissions(
    surroundingsOf({
      region: REGION,
      accountId: ACCOUNT_ID,
      services: () => {
        if (compute === undefined)
          throw new ServiceError('ServiceUnavailable', 'The service is starting.', 503);
        return { ec2: compute.ec2.service, ecs: compute.ecs.service };
      },
    }),
    log,
  );

  stage('starting DynamoDB and Docker');
  closing.push(() => context.state.close());
  const starting = [
    startDynamoDb({ dataDir: join(dataDir, 'dynamodb'), gate: permissions, log }),
    startHosts({
      dataDir: join(dataDir, 'hosts'),
      endpoint: url,
      region: REGION,
      accountId: ACCOUNT_ID,
      table: 'berth',
      logGroup: '/berth/hosts',
      agentEntry: join(root, 'dist/agent-layer/index.cjs'),
      log,
    }),
  ] as const;
  // Both are waited for even when one fails: the other has to be stopped.
  const [startedDatabase, startedHosts] = await Promise.allSettled(starting);
  if (startedDatabase.status === 'fulfilled') closing.push(() => startedDatabase.value.stop());
  if (startedHosts.status === 'fulfilled') closing.push(() => startedHosts.value.close({ removeAll: true }));
  const [database, hosts] = await Promise.all(starting);
  const dynamodb = new DynamoDBClient({ endpoint: url, region: REGION, credentials });
  const streams = new DynamoDBStreamsClient({ endpoint: database.url, region: REGION, credentials });
  closing.push(() => dynamodb.destroy());
  closing.push(() => streams.destroy());

  const sqs = createSqs(context, { baseUrl: url });
  closing.push(() => sqs.stop());
  // Engines deliver to each other; which of them an ARN means is known once all are there.
  const deliverer: Deliverer = {
    async deliver(targetArn, body, delivery = {}) {
      const service = targetArn.split(':')[2];
      if (service === 'sqs') sqs.send(targetArn, body, delivery);
      else if (service === 'lambda') lambda.invokeAsync(targetArn, body);
      else if (service === 'sns') await sns.publish(targetArn, body);
      else throw new Error(`nothing here receives at ${targetArn}`);
    },
  };
  const events = createEvents(context, { deliverer });
  const sns = createSns(context, { deliverer });
  const scheduler = createScheduler(context, { deliverer });
  const cloudwatch = createCloudWatch(context, { events, deliverer });
  const logs = createLogs(context, { metrics: cloudwatch });
  const lambda: Lambda = createLambda(context, {
    deliverer,
    logs,
    metrics: cloudwatch,
    layersDir: join(dataDir, 'layers'),
    runner: processRunners({
      region: REGION,
      endpointUrl: url,
      compileCacheDir: join(dataDir, 'compile-cache'),
    }),
    sources: {
      queue: (arn) => sqsSource(sqs, arn),
      stream: (arn) =>
        dynamoSource(
          { client: streams, clock: systemClock, log, onWrite: (listener) => database.onWrite(listener) },
          arn,
        ),
    },
  });
  compute = createCompute(context, { events, backend: hosts, bootMs: options.bootMs });
  cloudwatch.addProvider(queueMetrics(sqs));

  closing.push(() => cloudwatch.stop());
  closing.push(() => scheduler.stop());
  closing.push(() => sns.stop());
  closing.push(() => events.stop());

  stage(`opening ${url}`);
  const wire = await startWire({
    port,
    log,
    gate: permissions,
    passthroughs: { dynamodb: database.passthrough },
    services: bindServices({
      cloudwatch: cloudwatch.service,
      ec2: compute.ec2.service,
      ecs: compute.ecs.service,
      events: events.service,
      lambda: lambda.service,
      logs: logs.service,
      scheduler: scheduler.service,
      sns: sns.service,
      sqs: sqs.service,
      sts: stsService(context),
    }),
    health: () => ({
      database: database.pid,
      functions: lambda.functions().map(({ name }) => name),
      refusedCalls: permissions.refused,
    }),
  });

  closing.push(() => wire.close());
  closing.push(() => lambda.close());

  stage('making what template.yaml declares');
  const stack = await deployTemplate({
    text: readFileSync(join(root, 'template.yaml'), 'utf8'),
    root,
    parameters: options.parameters,
    place: context,
    dynamodb,
    lambda,
    sqs: sqs.service,
    events: events.service,
    sns: sns.service,
    cloudwatch: cloudwatch.service,
    logs: logs.service,
    ec2: compute.ec2.service,
    ecs: compute.ecs.service,
    permissions,
  });
  permissions.complete();
  await compute.resume();
  // From here on things happen: everything they may reach is in place.
  lambda.start();
  events.start();
  sns.start();
  scheduler.start();
  cloudwatch.start();
  await Promise.all(lambda.functions().map(({ name }) => lambda.prewarm(name, 1)));

  return {
    url,
    stack,
    compute,
    async operate(command) {
      const answer = await lambda.invoke('berth-operate', JSON.stringify(command));
      return JSON.parse(answer.payload) as Record<string, unknown>;
    },
    close: () => closeAll(closing),
  };
}

/** Last started, first stopped. Every step is taken, whatever becomes of the others: what is left now stays behind. */
async function closeAll(closing: Closing): Promise<void> {
  const failures: unknown[] = [];
  for (const step of closing.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}
