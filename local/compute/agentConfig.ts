/** What the container agent reads from `/etc/ecs/ecs.config`, as far as it matters here. */
export interface AgentConfig {
  readonly cluster: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Kept from tasks, MiB. */
  readonly reservedMemoryMiB: number;
  /** Whether the agent sets its host to DRAINING when Spot warns it. */
  readonly drainsOnSpotWarning: boolean;
  /** Ports besides the agent's own. */
  readonly reservedPorts: readonly number[];
}

/** A variable anywhere in a line, as `echo ECS_CLUSTER=x >> /etc/ecs/ecs.config` and here-documents have it. */
const ASSIGNMENT = /(?:^|[\s"'`;])(ECS_[A-Z_]+)=/;

/**
 * Reads the agent's variables out of user data, shell script or cloud-config. A later value wins, as it does when lines
 * are appended to the file; comments do not count.
 */
export function parseAgentConfig(userData: string): AgentConfig {
  const values = new Map<string, string>();
  for (const line of userData.split('\n')) {
    if (/^\s*#(?!!)/.test(line)) continue;
    const found = ASSIGNMENT.exec(line);
    if (found?.[1] === undefined) continue;
    values.set(found[1], readValue(line.slice(found.index + found[0].length)));
  }
  return {
    cluster: values.get('ECS_CLUSTER') || 'default',
    attributes: record(values.get('ECS_INSTANCE_ATTRIBUTES')),
    tags: record(values.get('ECS_CONTAINER_INSTANCE_TAGS')),
    reservedMemoryMiB: wholeNumber(values.get('ECS_RESERVED_MEMORY')),
    drainsOnSpotWarning: values.get('ECS_ENABLE_SPOT_INSTANCE_DRAINING') === 'true',
    reservedPorts: list(values.get('ECS_RESERVED_PORTS')),
  };
}

/** A JSON value to its last bracket; else a quoted text or a word. */
function readValue(rest: string): string {
  const start = rest.replace(/^["']/, '');
  if (start.startsWith('{') || start.startsWith('[')) {
    const end = start.lastIndexOf(start.startsWith('{') ? '}' : ']');
    return start.slice(0, end + 1).replaceAll('\\"', '"');
  }
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(rest);
  return quoted?.[1] ?? quoted?.[2] ?? /^[^\s"'`;>]*/.exec(rest)?.[0] ?? '';
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    // The agent, too, goes on without a variable that it cannot read.
    return undefined;
  }
}

function record(text: string | undefined): Record<string, string> {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]));
}

function list(text: string | undefined): number[] {
  const value = parsed(text);
  return Array.isArray(value) ? value.filter((each) => typeof each === 'number') : [];
}

const wholeNumber = (text: string | undefined): number => (/^\d{1,9}$/.test(text ?? '') ? Number(text) : 0);
