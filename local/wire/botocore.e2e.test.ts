import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as scheduler from '@aws-sdk/client-scheduler';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServiceError } from '../engine/service.ts';
import { convert } from './convert.ts';
import { sdkToJson } from './jsonCodec.ts';
import { modelOf, type OperationModel, type SdkModule } from './model.ts';
import { startWire, type Wire } from './server.ts';
import { valuesOf } from './shapeArbitrary.ts';
import { pythonOfCliV2, pythonWithBoto3 } from './testClients.ts';

/** SDK packages by botocore's name of the service. */
const SDKS: Readonly<Record<string, SdkModule>> = {
  ecs,
  ec2,
  lambda,
  sqs,
  cloudwatch,
  sts,
  events: eventbridge,
  sns,
  scheduler,
  ssm,
  logs,
};

/** botocore rewrites these requests or answers itself: pre-signing, decoding, multi-Region endpoints. */
const SPECIAL = new Set(['CopySnapshot', 'GetConsoleOutput', 'RunInstances', 'PutEvents', 'InvokeAsync']);

interface Answer {
  readonly skip?: string;
  readonly sent: Record<string, unknown>;
  readonly expected: unknown;
  readonly received?: unknown;
  readonly error?: string;
  readonly code?: string;
}

/** A botocore in a process of its own, which takes one call at a time. */
class Botocore {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  constructor(python: string, endpoint: string, module: string) {
    const script = new URL('botocoreClient.py', import.meta.url).pathname;
    this.#process = spawn(python, [script, endpoint, module], { stdio: ['pipe', 'pipe', 'inherit'] });
    // A Python that ended is told by its missing answer.
    this.#process.stdin.on('error', () => {});
    this.#interface = createInterface({ input: this.#process.stdout });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async call(request: object): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done) throw new Error('botocore ended');
    return JSON.parse(line.value) as Answer;
  }

  stop(): void {
    this.#interface.close();
    this.#process.kill();
  }
}

interface Exchange {
  input?: unknown;
  output: unknown;
  error?: ServiceError | undefined;
}

const exchange: Exchange = { output: {} };
let wire: Wire;

beforeAll(async () => {
  wire = await startWire({
    port: 0,
    log: () => {},
    services: Object.values(SDKS).map((sdk) => {
      const { signingName, operations } = modelOf(sdk);
      const answer = (input: unknown): unknown => {
        exchange.input = input;
        if (exchange.error !== undefined) throw exchange.error;
        return exchange.output;
      };
      return {
        sdk,
        service: {
          signingName,
          operations: Object.fromEntries([...operations.keys()].map((name) => [name, answer])),
        },
      };
    }),
  });
});

afterAll(() => wire.close());

/** Without what botocore adds by itself: idempotency tokens. */
function withoutTokens(received: unknown, sent: Record<string, unknown>): unknown {
  const kept = { ...(received as Record<string, unknown>) };
  for (const key of Object.keys(kept)) {
    if (/token$/i.test(key) && !Object.hasOwn(sent, key)) delete kept[key];
  }
  return kept;
}

const botocores: readonly [string, () => string, string][] = [
  ['boto3', pythonWithBoto3, 'botocore'],
  // Debian's AWS CLI v2 carries an older botocore, which speaks the query protocol to SQS and CloudWatch.
  ['AWS CLI v2', pythonOfCliV2, 'awscli.botocore'],
];

describe.each(botocores)('%s', (_, python, module) => {
  let botocore: Botocore;
  beforeAll(() => {
    botocore = new Botocore(python(), wire.url, module);
  });
  afterAll(() => botocore.stop());

  test.each(Object.entries(SDKS))('carries any input and output of %s', async (service, sdk) => {
    const { operations, protocol } = modelOf(sdk);
    const names = [...operations.keys()].filter((name) => !SPECIAL.has(name));
    // SQS and CloudWatch are JSON to some clients and XML to others: what both carry.
    const xml = !['json1.1', 'rest-json'].includes(protocol);
    const limits = { nonEmpty: xml, xmlText: xml, whole: true };
    const operationNamed = (name: string): OperationModel => {
      const operation = operations.get(name);
      if (operation === undefined) throw new Error(`no operation ${name}`);
      return operation;
    };
    const exchanges = fc.constantFrom(...names).chain((name) => {
      const operation = operationNamed(name);
      return fc.record({
        name: fc.constant(name),
        input: valuesOf(operation.input, limits),
        output: valuesOf(operation.output, limits),
      });
    });
    let carried = 0;
    await fc.assert(
      fc.asyncProperty(exchanges, async ({ name, input, output }) => {
        const operation = operationNamed(name);
        exchange.output = output;
        exchange.input = undefined;
        const answer = await botocore.call({
          service,
          operation: name,
          input: convert(operation.input, input, sdkToJson),
          output: convert(operation.output, output, sdkToJson),
        });
        if (answer.skip !== undefined) return;
        expect(answer.error).toBeUndefined();
        const received = convert(operation.input, exchange.input, sdkToJson);
        expect(withoutTokens(received, answer.sent)).toEqual(answer.sent);
        expect(answer.received).toEqual(answer.expected);
        carried += 1;
      }),
      { numRuns: 60 },
    );
    expect(carried).toBeGreaterThan(5);
  });

  test.each(Object.entries(SDKS))('reads the errors of %s', async (service, sdk) => {
    const { operations, errors } = modelOf(sdk);
    const free = [...operations.values()].find(
      ({ input }) => input.kind === 'structure' && !input.members.some(({ required }) => required),
    );
    if (free === undefined) throw new Error('every operation has required members');
    const codes = [...errors.keys()].slice(0, 8).concat('Some.OtherError');
    for (const code of codes) {
      exchange.error = new ServiceError(code, 'what <went> wrong & why');
      const answer = await botocore.call({ service, operation: free.name, input: {}, output: {} });
      exchange.error = undefined;
      expect(answer.error).toContain('what <went> wrong & why');
      const shape = errors.get(code);
      expect([code, shape?.name, shape?.error?.queryCode]).toContain(answer.code);
    }
  });
});
