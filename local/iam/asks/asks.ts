import type { GatedCall } from '../../wire/gate.ts';
import type { Ask } from '../decide.ts';
import type { Account } from './account.ts';
import { dynamodbAsks } from './dynamodb.ts';
import { ec2Asks } from './ec2.ts';
import { ecsAsks } from './ecs.ts';
import { eventsAsks, logsAsks, sqsAsks } from './messaging.ts';

type AsksOf = (operation: string, input: unknown, account: Account) => Ask[] | Promise<Ask[]>;

/** By signing name. */
const services: Readonly<Record<string, AsksOf>> = {
  dynamodb: dynamodbAsks,
  ec2: ec2Asks,
  ecs: ecsAsks,
  events: eventsAsks,
  logs: logsAsks,
  sqs: sqsAsks,
};

/** Where an action's prefix is not the name that requests are signed for. */
const prefixes: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

/**
 * The permissions that a call needs, every one of them. Of a service that no role here calls it is the operation's own, on
 * everything.
 */
export const asksOf = async (
  { signingName, operation, input }: GatedCall,
  account: Account,
): Promise<readonly Ask[]> =>
  (await services[signingName]?.(operation, input, account)) ?? [
    { action: `${prefixes[signingName] ?? signingName}:${operation}`, resource: '*' },
  ];
