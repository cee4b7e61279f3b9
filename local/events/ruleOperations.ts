import type {
  DeleteRuleCommandInput,
  DescribeRuleCommandInput,
  DescribeRuleResponse,
  DisableRuleCommandInput,
  EnableRuleCommandInput,
  ListRuleNamesByTargetCommandInput,
  ListRuleNamesByTargetResponse,
  ListRulesCommandInput,
  ListRulesResponse,
  ListTargetsByRuleCommandInput,
  ListTargetsByRuleResponse,
  PutRuleCommandInput,
  PutRuleResponse,
  PutTargetsCommandInput,
  PutTargetsResponse,
  RemoveTargetsCommandInput,
  RemoveTargetsResponse,
  Target,
} from '@aws-sdk/client-eventbridge';
import type { EngineClock } from '../engine/clock.ts';
import { ServiceError } from '../engine/service.ts';
import { type Buses, DEFAULT_BUS } from './buses.ts';
import { tagRecord } from './busOperations.ts';
import { pageByName } from './page.ts';
import { compileTarget, type Rule, type StoredRule } from './rule.ts';

const MAXIMUM_RULES = 300;
const MAXIMUM_TARGETS = 5;

const refuse = (message: string): ServiceError => new ServiceError('ValidationException', message);
const overLimit = (): ServiceError =>
  new ServiceError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');

/** The operations on rules and their targets. */
export function ruleOperations(buses: Buses, clock: EngineClock) {
  const find = (busName: string | undefined, name: string | undefined): Rule =>
    buses.rule(buses.get(busName), name);
  const setState = (rule: Rule, state: StoredRule['state']): void => {
    buses.putRule({ ...rule.stored, state, scheduledFromMs: clock.now() });
  };

  return {
    PutRule(input: PutRuleCommandInput): PutRuleResponse {
      const { Name, EventPattern, ScheduleExpression, State = 'ENABLED', Description, RoleArn, Tags } = input;
      if (Name === undefined || !/^[.\-\w]{1,64}$/.test(Name))
        throw refuse(`The rule name is not valid: ${String(Name)}`);
      if (EventPattern === undefined && ScheduleExpression === undefined) {
        throw refuse('Parameter(s) EventPattern or ScheduleExpression must be specified.');
      }
      const bus = buses.get(input.EventBusName);
      if (ScheduleExpression !== undefined && bus.stored.name !== DEFAULT_BUS) {
        throw refuse('ScheduleExpression is supported only on the default event bus.');
      }
      const existing = bus.rules.get(Name)?.stored;
      if (existing === undefined && bus.rules.size >= MAXIMUM_RULES) throw overLimit();
      const rule = buses.putRule({
        bus: bus.stored.name,
        name: Name,
        state: State,
        targets: existing?.targets ?? [],
        // Tags of a rule that exists are changed by TagResource only.
        tags: existing?.tags ?? tagRecord(Tags),
        scheduledFromMs: clock.now(),
        ...(EventPattern !== undefined && { pattern: EventPattern }),
        ...(ScheduleExpression !== undefined && { schedule: ScheduleExpression }),
        ...(Description !== undefined && { description: Description }),
        ...(RoleArn !== undefined && { roleArn: RoleArn }),
      });
      return { RuleArn: rule.arn };
    },

    DeleteRule({ Name = '', EventBusName }: DeleteRuleCommandInput): void {
      const bus = buses.get(EventBusName);
      const rule = bus.rules.get(Name);
      if (rule === undefined) return;
      if (rule.targets.length > 0) throw refuse("Rule can't be deleted since it has targets.");
      buses.removeRule(bus, rule);
    },

    DescribeRule({ Name, EventBusName }: DescribeRuleCommandInput): DescribeRuleResponse {
      return describe(find(EventBusName, Name));
    },

    EnableRule({ Name, EventBusName }: EnableRuleCommandInput): void {
      setState(find(EventBusName, Name), 'ENABLED');
    },

    DisableRule({ Name, EventBusName }: DisableRuleCommandInput): void {
      setState(find(EventBusName, Name), 'DISABLED');
    },

    ListRules({ NamePrefix = '', EventBusName, Limit, NextToken }: ListRulesCommandInput): ListRulesResponse {
      const rules = [...buses.get(EventBusName).rules.values()].filter(({ stored }) =>
        stored.name.startsWith(NamePrefix),
      );
      const { page, nextToken } = pageByName(rules, ({ stored }) => stored.name, Limit, NextToken);
      return { Rules: page.map(describe), NextToken: nextToken };
    },

    ListRuleNamesByTarget(input: ListRuleNamesByTargetCommandInput): ListRuleNamesByTargetResponse {
      const names = [...buses.get(input.EventBusName).rules.values()]
        .filter(({ targets }) => targets.some(({ target }) => target.Arn === input.TargetArn))
        .map(({ stored }) => stored.name);
      const { page, nextToken } = pageByName(names, (name) => name, input.Limit, input.NextToken);
      return { RuleNames: [...page], NextToken: nextToken };
    },

    PutTargets({ Rule: name, EventBusName, Targets = [] }: PutTargetsCommandInput): PutTargetsResponse {
      const { stored } = find(EventBusName, name);
      const targets = new Map<string, Target>(stored.targets.map((target) => [target.Id ?? '', target]));
      // All or none: one malformed target refuses the call, as the real service does.
      for (const target of Targets) targets.set(compileTarget(target).target.Id, target);
      if (targets.size > MAXIMUM_TARGETS) throw overLimit();
      buses.putRule({ ...stored, targets: [...targets.values()] });
      return { FailedEntryCount: 0, FailedEntries: [] };
    },

    RemoveTargets({ Rule: name, EventBusName, Ids = [] }: RemoveTargetsCommandInput): RemoveTargetsResponse {
      const { stored } = find(EventBusName, name);
      const targets = stored.targets.filter(({ Id = '' }) => !Ids.includes(Id));
      buses.putRule({ ...stored, targets });
      return { FailedEntryCount: 0, FailedEntries: [] };
    },

    ListTargetsByRule(input: ListTargetsByRuleCommandInput): ListTargetsByRuleResponse {
      const { stored } = find(input.EventBusName, input.Rule);
      const { page, nextToken } = pageByName(
        stored.targets,
        ({ Id = '' }) => Id,
        input.Limit,
        input.NextToken,
      );
      return { Targets: [...page], NextToken: nextToken };
    },
  };
}

function describe({ stored, arn }: Rule) {
  return {
    Name: stored.name,
    Arn: arn,
    EventPattern: stored.pattern,
    ScheduleExpression: stored.schedule,
    State: stored.state,
    Description: stored.description,
    RoleArn: stored.roleArn,
    EventBusName: stored.bus,
  };
}
