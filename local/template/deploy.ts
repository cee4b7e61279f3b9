import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { images } from '../ec2/images.ts';
import { DEFAULT_VPC_ID, zones } from '../ec2/network.ts';
import type { Service } from '../engine/service.ts';
import type { Permissions } from '../iam/permissions.ts';
import type { Lambda } from '../lambda/lambda.ts';
import { parseTemplate } from './parse.ts';
import { computeProviders } from './providers/compute.ts';
import { functionProviders } from './providers/functions.ts';
import { identityProviders } from './providers/identity.ts';
import { messagingProviders } from './providers/messaging.ts';
import { tableProviders } from './providers/table.ts';
import { watchingProviders } from './providers/watching.ts';
import { createStack, type Stack, TemplateError } from './resolve.ts';

export interface Deployment {
  /** The template's YAML. */
  readonly text: string;
  /** Folder that the template's paths start from. */
  readonly root: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly place: { readonly region: string; readonly accountId: string };
  readonly dynamodb: DynamoDBClient;
  readonly lambda: Lambda;
  readonly sqs: Service;
  readonly events: Service;
  readonly sns: Service;
  readonly cloudwatch: Service;
  readonly logs: Service;
  readonly ec2: Service;
  readonly ecs: Service;
  /** Told what the template's roles may do. */
  readonly permissions: Permissions;
}

/** The parameters that name what an account has already: here, the embedded EC2's default network and first image. */
function accountParameters(): Record<string, string> {
  const [a, b] = zones;
  const [image] = images;
  return {
    ...(image && { HostImageId: image.imageId }),
    VpcId: DEFAULT_VPC_ID,
    ...(a && { ZoneA: a.name, SubnetA: a.subnetId }),
    ...(b && { ZoneB: b.name, SubnetB: b.subnetId }),
  };
}

/** Makes everything that the template declares, in the default network of the embedded EC2. Safe to repeat. */
export async function deployTemplate(deployment: Deployment): Promise<Stack> {
  const { place, root, parameters } = deployment;
  const template = parseTemplate(deployment.text);
  for (const name of Object.keys(parameters)) {
    if (template.Parameters?.[name]) continue;
    const known = Object.keys(template.Parameters ?? {}).join(', ');
    throw new TemplateError(`template.yaml has no parameter ${name}; it has: ${known}.`);
  }
  return createStack({
    template,
    parameters: { ...accountParameters(), ...parameters },
    pseudo: {
      'AWS::Region': place.region,
      'AWS::AccountId': place.accountId,
      'AWS::Partition': 'aws',
      'AWS::StackName': 'berth',
    },
    providers: {
      ...messagingProviders(deployment, place),
      ...tableProviders(deployment.dynamodb, deployment.permissions),
      ...functionProviders({ ...deployment, root }),
      ...watchingProviders(deployment, place),
      ...identityProviders(place, deployment.permissions),
      ...computeProviders(deployment),
    },
  });
}
