import type { Subject } from './expression.ts';
import type { Scanner } from './scan.ts';

export type OperatorClass = 'equality' | 'order' | 'list' | 'pattern' | 'existence';

/** What the cluster query language documents for each subject. It is silent on `task:group`, of which a host has many. */
const operatorsOf: Readonly<Record<Subject['kind'], readonly OperatorClass[]>> = {
  agentConnected: ['equality', 'list', 'pattern'],
  agentVersion: ['equality', 'order'],
  attribute: ['equality', 'order', 'list', 'pattern', 'existence'],
  ec2InstanceId: ['equality', 'list', 'pattern'],
  registeredAt: ['equality', 'order'],
  runningTasksCount: ['equality', 'order'],
  taskGroup: ['equality', 'list', 'pattern', 'existence'],
};

const spellings: Readonly<Record<OperatorClass, string>> = {
  equality: '==, !=',
  order: '>, >=, <, <=',
  list: 'in, !in',
  pattern: '=~, !~',
  existence: 'exists, !exists',
};

const ALL =
  'agentConnected, agentVersion, attribute:<name>, ec2InstanceId, registeredAt, runningTasksCount or task:group';

/** ECS: letters, digits, hyphen, underscore, period, slashes; up to 128. */
const ATTRIBUTE_NAME = /^[A-Za-z0-9_\-./\\]{1,128}$/;

export function parseSubject(scanner: Scanner): Subject {
  scanner.skipSpace();
  const start = scanner.at;
  const text = scanner.subject();
  switch (text) {
    case 'agentConnected':
    case 'agentVersion':
    case 'ec2InstanceId':
    case 'registeredAt':
    case 'runningTasksCount':
      return { kind: text };
    case 'task:group':
      return { kind: 'taskGroup' };
  }
  if (text.startsWith('attribute:')) {
    const name = text.slice('attribute:'.length);
    if (!ATTRIBUTE_NAME.test(name)) {
      scanner.fail(
        start,
        'An attribute name has 1 to 128 letters, digits, hyphens, underscores, periods or slashes',
        'Write attribute:<name>, such as attribute:ecs.instance-type.',
      );
    }
    return { kind: 'attribute', name };
  }
  if (text === '') scanner.fail(start, `A subject is expected, not ${scanner.upcoming()}`, `Write ${ALL}.`);
  const near = text.startsWith('ecs.') ? ` Did you mean attribute:${text}?` : '';
  return scanner.fail(start, `"${text}" is not a subject`, `Write ${ALL}.${near}`);
}

export const nameOf = (subject: Subject): string => {
  if (subject.kind === 'attribute') return `attribute:${subject.name}`;
  return subject.kind === 'taskGroup' ? 'task:group' : subject.kind;
};

/** Refuses an operator that the subject does not have. */
export function requireOperator(
  scanner: Scanner,
  position: number,
  subject: Subject,
  wanted: OperatorClass,
): void {
  const allowed = operatorsOf[subject.kind];
  if (allowed.includes(wanted)) return;
  scanner.fail(
    position,
    `${nameOf(subject)} cannot be used with ${spellings[wanted]}`,
    `Use ${allowed.map((each) => spellings[each]).join(', ')}.`,
  );
}
