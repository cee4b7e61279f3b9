/** What has to be known of the account to say which resources a call is about. */
export interface Account {
  readonly region: string;
  readonly accountId: string;
  /** Attribute that partitions a table; undefined for a table that there is not. */
  partitionKeyOf(table: string): string | undefined;
  /** ARNs of a task definition's own and execution role. */
  taskRolesOf(taskDefinition: string): Promise<readonly string[]>;
  /** ARN of the role that instances of a launch template have. */
  hostRoleOf(launchTemplateId: string): Promise<string | undefined>;
  /** Undefined for an instance that there is not: its service says so. */
  tagsOf(instanceId: string): Promise<Readonly<Record<string, string>> | undefined>;
}

/** `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`, unless it is one already. */
export const arnOf = ({ region, accountId }: Account, service: string, resource: string): string =>
  resource.startsWith('arn:') ? resource : `arn:aws:${service}:${region}:${accountId}:${resource}`;
