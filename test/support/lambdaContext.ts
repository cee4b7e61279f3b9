import type { Context } from 'aws-lambda';

/** A context as Lambda gives it, with half a minute left. */
export const lambdaContext = (overrides: Partial<Context> = {}): Context => ({
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'berth-accept',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:berth-accept',
  memoryLimitInMB: '1769',
  awsRequestId: '8f507cfc-xmpl-4697-b07a-ac58fc914c95',
  logGroupName: '/aws/lambda/berth-accept',
  logStreamName: '2026/11/24/[$LATEST]2aabbccddeeff00112233445566778899',
  getRemainingTimeInMillis: () => 30_000,
  done: () => {},
  fail: () => {},
  succeed: () => {},
  ...overrides,
});
