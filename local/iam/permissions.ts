import { ServiceError } from '../engine/service.ts';
import type { Gate, GatedCall } from '../wire/gate.ts';
import type { Account } from './asks/account.ts';
import { asksOf } from './asks/asks.ts';
import { type Caller, callerOf } from './caller.ts';
import { type Ask, isAllowed } from './decide.ts';
import type { Statement } from './policy.ts';

/** What EC2 and ECS know of what a call is about. */
export interface Surroundings extends Omit<Account, 'partitionKeyOf' | 'hostRoleOf'> {
  /** ARN of the profile that an instance was launched with. */
  profileOf(instanceId: string): Promise<string | undefined>;
  /** ARN of the profile that a launch template gives. */
  profileOfTemplate(launchTemplateId: string): Promise<string | undefined>;
}

interface Role {
  readonly arn: string;
  readonly statements: readonly Statement[];
  /** Condition keys that are the caller's own, e.g. `ec2:SourceInstanceARN`. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** Which call of a role is refused, and how its service says so. Others answer with an AccessDeniedException. */
const refusals: Readonly<Record<string, readonly [string, number]>> = {
  ec2: ['UnauthorizedOperation', 403],
  sns: ['AuthorizationError', 403],
};

/**
 * The roles of functions and instances, as the template declares them, and nothing more than they allow. Policies of
 * resources (of queues, of functions) are not looked at: what they allow here are AWS's own services.
 */
export class Permissions implements Gate {
  readonly #surroundings: Surroundings;
  readonly #account: Account;
  readonly #log: (line: string) => void;
  readonly #functions = new Map<string, Role>();
  readonly #hostRoles = new Map<string, Omit<Role, 'keys'>>();
  /** Role by ARN of the instance profile. */
  readonly #profiles = new Map<string, string>();
  /** An instance keeps the profile that it was launched with. */
  readonly #instances = new Map<string, Role>();
  readonly #partitionKeys = new Map<string, string>();
  #complete = false;
  #refused = 0;

  constructor(surroundings: Surroundings, log: (line: string) => void) {
    this.#surroundings = surroundings;
    this.#log = log;
    this.#account = {
      ...surroundings,
      partitionKeyOf: (table) => this.#partitionKeys.get(table),
      hostRoleOf: async (id) => this.#profiles.get((await surroundings.profileOfTemplate(id)) ?? ''),
    };
  }

  /** Calls that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  defineFunction(name: string, statements: readonly Statement[]): void {
    const arn = `arn:aws:iam::${this.#account.accountId}:role/${name}`;
    this.#functions.set(name, { arn, statements, keys: {} });
  }

  defineRole(arn: string, statements: readonly Statement[]): void {
    this.#hostRoles.set(arn, { arn, statements });
  }

  defineProfile(arn: string, roleArn: string): void {
    this.#profiles.set(arn, roleArn);
  }

  defineTable(name: string, partitionKey: string): void {
    this.#partitionKeys.set(name, partitionKey);
  }

  /** Every role has been defined: from here on one that is not known has no permission. */
  complete(): void {
    this.#complete = true;
  }

  governs(accessKeyId: string): boolean {
    return callerOf(accessKeyId) !== undefined;
  }

  async check(accessKeyId: string, call: GatedCall): Promise<void> {
    const caller = callerOf(accessKeyId);
    if (caller === undefined) return;
    const role = await this.#roleOf(caller);
    // An agent that has outlived the embedded AWS calls before the template has been read again.
    if (role === undefined && !this.#complete)
      throw new ServiceError('ServiceUnavailable', 'The service is starting; try again.', 503);
    for (const ask of await asksOf(call, this.#account)) {
      if (role === undefined || !isAllowed(role.statements, ask, role.keys))
        throw this.#refuse(caller, call, ask);
    }
  }

  async #roleOf({ kind, name }: Caller): Promise<Role | undefined> {
    if (kind === 'function') return this.#functions.get(name);
    const known = this.#instances.get(name);
    if (known !== undefined) return known;
    const profile = await this.#surroundings.profileOf(name);
    const role = this.#hostRoles.get(this.#profiles.get(profile ?? '') ?? '');
    if (role === undefined) return undefined;
    const { region, accountId } = this.#account;
    const keys = { 'ec2:SourceInstanceARN': [`arn:aws:ec2:${region}:${accountId}:instance/${name}`] };
    this.#instances.set(name, { ...role, keys });
    return { ...role, keys };
  }

  #refuse(caller: Caller, { signingName }: GatedCall, { action, resource, keys = {} }: Ask): ServiceError {
    this.#refused += 1;
    const conditions = Object.entries(keys).map(([key, values]) => `${key} ${values.join(' ')}`);
    const what = `${caller.name} is not authorized to perform: ${action} on resource: ${resource}`;
    const message = `${what} because no identity-based policy allows the ${action} action`;
    this.#log(`refused: ${[message, ...conditions].join('; ')} (template.yaml grants it nowhere)`);
    const [code, statusCode] = refusals[signingName] ?? ['AccessDeniedException', 400];
    return new ServiceError(code, `User: ${message}`, statusCode);
  }
}
