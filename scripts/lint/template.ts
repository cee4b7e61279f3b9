import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

/** Findings of severity WARN or above that stay, by rule and resource, each with its reason. They are printed. */
const accepted: Readonly<Record<string, string>> = {
  'W9002 ScaleByAlarmPermission':
    'the alarms that may invoke the function are the user’s own, so that no reference can name them',
};

const file = 'template.yaml';
const engine = new RegoEngine();
let failures = 0;
try {
  const { diagnostics } = engine.validateStandard(new TemplateFile(file));
  const relevant = diagnostics.filter(({ severity }) => severity !== 'INFO');
  for (const { severity, ruleId, message, startLine, entity } of relevant) {
    const reason = accepted[`${ruleId} ${entity?.logicalId ?? ''}`];
    if (reason === undefined) failures += 1;
    console.log(
      `${file}:${startLine ?? 0}: [${severity}] ${ruleId} ${message}${reason ? ` (accepted: ${reason})` : ''}`,
    );
  }
  console.log(`${file}: ${failures} findings to mend, by ${engine.listRules().length} rules`);
} finally {
  engine.free();
}
process.exitCode = failures === 0 ? 0 : 1;
