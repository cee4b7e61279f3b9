/** How one agent is set up; every value comes from its environment. */
export interface Settings {
  readonly instanceId: string;
  /** Partition key of the report. */
  readonly instanceArn: string;
  readonly cluster: string;
  readonly dockerHost: string;
  /** Labels a container must carry to be looked at. */
  readonly labels: readonly string[];
  /** The cgroup below which ECS puts tasks, as a path below the mount, e.g. `/ecs` or `/ecstasks.slice`. */
  readonly cgroupParent: string;
  /** Table and Region of the report; absent: no report is sent. */
  readonly table?: string;
  readonly region: string;
  /** Of DynamoDB. */
  readonly endpoint: string;
  /** Log group and endpoint for usage metrics; absent: none are sent. */
  readonly metrics?: { readonly logGroup: string; readonly endpoint: string };
  readonly stateDirectory: string;
  /** Of instance metadata; absent: there is none. */
  readonly metadataEndpoint?: string;
  /** Pressure steps are told and not taken. */
  readonly dryRun: boolean;
}

const TASK_LABEL = 'com.amazonaws.ecs.task-arn';

/** Reads the settings. Throws, naming the variable, when one is missing or malformed. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  version: 1 | 2,
): Settings {
  const required = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set`);
    return value;
  };
  const cgroupParent = environment.BERTH_CGROUP_PARENT ?? (version === 1 ? '/ecs' : '/ecstasks.slice');
  if (!/^(\/[A-Za-z0-9._:-]+)+$/.test(cgroupParent) || cgroupParent.split('/').includes('..')) {
    throw new Error(
      `BERTH_CGROUP_PARENT must be an absolute path below the cgroup mount, not ${cgroupParent}`,
    );
  }
  const label = environment.BERTH_CONTAINER_LABEL;
  const table = environment.BERTH_TABLE;
  const region = environment.AWS_REGION ?? 'us-east-1';
  const endpoint = environment.AWS_ENDPOINT_URL;
  const logGroup = environment.BERTH_LOG_GROUP;
  const endpointOfMetadata = metadataEndpoint(environment);
  return {
    instanceId: required('BERTH_INSTANCE_ID'),
    instanceArn: required('BERTH_INSTANCE_ARN'),
    cluster: required('BERTH_CLUSTER'),
    dockerHost: environment.DOCKER_HOST ?? 'unix:///var/run/docker.sock',
    labels: label === undefined ? [TASK_LABEL] : [TASK_LABEL, label],
    cgroupParent,
    ...(table === undefined || table === '' ? {} : { table }),
    region,
    endpoint: endpoint ?? `https://dynamodb.${region}.amazonaws.com`,
    ...(logGroup === undefined || logGroup === ''
      ? {}
      : { metrics: { logGroup, endpoint: endpoint ?? `https://logs.${region}.amazonaws.com` } }),
    stateDirectory: environment.BERTH_STATE_DIR ?? '/var/lib/berth-agent',
    ...(endpointOfMetadata === undefined ? {} : { metadataEndpoint: endpointOfMetadata }),
    dryRun: environment.BERTH_DRY_RUN === '1',
  };
}

/** Where instance metadata answers, by the SDKs' own variables; undefined where it is switched off. */
export const metadataEndpoint = (
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined =>
  environment.AWS_EC2_METADATA_DISABLED === 'true'
    ? undefined
    : (environment.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? 'http://169.254.169.254');
