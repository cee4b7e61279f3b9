import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';

/**
 * Findings that stay, each with its reason. A rule listed here is printed, not hidden, and fails nothing; everything
 * else of severity warning or above fails the check.
 */
const accepted: Readonly<Record<string, string>> = {};

const file = 'template.yaml';
const engine = new RegoEngine();
let failures = 0;
try {
  const { diagnostics } = engine.validateStandard(new TemplateFile(file));
  for (const finding of diagnostics) {
    const reason = accepted[finding.ruleId];
    console.log(`${file}: [${finding.severity}] ${finding.ruleId} ${JSON.stringify(finding)}`);
    if (reason === undefined && finding.severity !== 'INFO') failures += 1;
  }
  console.log(`${file}: ${diagnostics.length} findings by ${engine.listRules().length} rules`);
} finally {
  engine.free();
}
process.exitCode = failures === 0 ? 0 : 1;
