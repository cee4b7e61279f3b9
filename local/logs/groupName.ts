import { ServiceError } from '../engine/service.ts';

const NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const ARN = /^arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:([^:]+)(?::\*)?$/;

interface Named {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
}

/** The group an input names: by name, or by an identifier, which is a name or an ARN. */
export function groupNameOf({ logGroupName, logGroupIdentifier }: Named): string {
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw new ServiceError(
      'ValidationException',
      'Either logGroupName or logGroupIdentifier must be given, not both.',
    );
  }
  const given = logGroupName ?? logGroupIdentifier ?? '';
  const name = ARN.exec(given)?.[1] ?? given;
  if (!NAME.test(name)) {
    throw new ServiceError(
      'InvalidParameterException',
      `1 validation error detected: Value '${given}' at 'logGroupName' failed to satisfy constraint: ` +
        'Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+',
    );
  }
  return name;
}
