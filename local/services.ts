import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as events from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as scheduler from '@aws-sdk/client-scheduler';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import type { Service } from './engine/service.ts';
import type { ServiceBinding } from './wire/dispatch.ts';

const sdks = { cloudwatch, ec2, ecs, events, lambda, logs, scheduler, sns, sqs, sts };

/** Each engine with the SDK module whose schemas say how its requests and answers look on the wire. */
export const bindServices = (services: Readonly<Record<keyof typeof sdks, Service>>): ServiceBinding[] =>
  (Object.keys(sdks) as (keyof typeof sdks)[]).map((name) => ({ service: services[name], sdk: sdks[name] }));
