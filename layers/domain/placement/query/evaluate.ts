import { parseDate } from './date.ts';
import type { Expression, HostFacts, OrderOperator, Subject } from './expression.ts';

/**
 * Whether the expression holds for a host. A comparison with something the host does not have is false, so its
 * negation (`!=`, `!in`, `!~`, `not(...)`) is true. `task:group` holds when any of the host's groups does.
 */
export function evaluate(expression: Expression, facts: HostFacts): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.parts.every((part) => evaluate(part, facts));
    case 'or':
      return expression.parts.some((part) => evaluate(part, facts));
    case 'not':
      return !evaluate(expression.part, facts);
    case 'exists':
      return anyValue(expression.subject, facts, () => true);
    case 'equals':
      return equals(expression.subject, facts, expression.value);
    case 'in':
      return anyValue(expression.subject, facts, (value) => expression.values.has(value));
    case 'matches':
      return anyValue(expression.subject, facts, (value) => expression.pattern.test(value));
    case 'order':
      return inOrder(expression.subject, facts, expression.operator, expression.value);
  }
}

function equals(subject: Subject, facts: HostFacts, wanted: string): boolean {
  switch (subject.kind) {
    case 'registeredAt':
    case 'runningTasksCount':
    case 'agentVersion':
      return compare(subject, facts, wanted) === 0;
    default:
      return anyValue(subject, facts, (value) => value === wanted);
  }
}

/** Whether any text value the host has for the subject passes. */
function anyValue(subject: Subject, facts: HostFacts, passes: (value: string) => boolean): boolean {
  if (subject.kind === 'taskGroup') {
    for (const group of facts.taskGroups) if (passes(group)) return true;
    return false;
  }
  const value = textOf(subject, facts);
  return value !== undefined && passes(value);
}

function textOf(subject: Subject, facts: HostFacts): string | undefined {
  switch (subject.kind) {
    case 'attribute':
      return Object.hasOwn(facts.attributes, subject.name) ? facts.attributes[subject.name] : undefined;
    case 'ec2InstanceId':
      return facts.ec2InstanceId;
    case 'agentConnected':
      return String(facts.agentConnected);
    case 'agentVersion':
      return facts.agentVersion;
    case 'runningTasksCount':
      return String(facts.runningTasksCount);
    default:
      return undefined;
  }
}

function inOrder(subject: Subject, facts: HostFacts, operator: OrderOperator, wanted: string): boolean {
  const sign = compare(subject, facts, wanted);
  if (sign === undefined) return false;
  switch (operator) {
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
  }
}

/** Sign of (what the host has - `wanted`) in the subject's own order; undefined when the host has nothing to compare. */
function compare(subject: Subject, facts: HostFacts, wanted: string): number | undefined {
  if (subject.kind === 'registeredAt') {
    const date = parseDate(wanted);
    if (facts.registeredAt === undefined || date === undefined) return undefined;
    // The language has whole seconds; a registration within the second it names is equal to it.
    return Math.floor(facts.registeredAt / 1000) * 1000 - date;
  }
  if (subject.kind === 'runningTasksCount') return facts.runningTasksCount - Number(wanted);
  const value = textOf(subject, facts);
  if (value === undefined) return undefined;
  return subject.kind === 'agentVersion' ? compareVersions(value, wanted) : compareTexts(value, wanted);
}

/** As numbers when both are, else by code unit. */
function compareTexts(value: string, wanted: string): number {
  const [left, right] = [Number(value), Number(wanted)];
  const numeric = value !== '' && wanted !== '' && Number.isFinite(left) && Number.isFinite(right);
  if (numeric) return left - right;
  return value < wanted ? -1 : Number(value > wanted);
}

/** Part by part as numbers; a missing part is zero and what follows a hyphen or a plus is ignored. */
function compareVersions(value: string, wanted: string): number {
  const partsOf = (text: string): number[] => (text.split(/[-+]/)[0] ?? '').split('.').map(Number);
  const [left, right] = [partsOf(value), partsOf(wanted)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
