import type { InstanceMetadata } from './imds.ts';
import type { Credentials } from './signature.ts';

/** Renewed this long before they expire: IMDS has the next ones at least five minutes ahead. */
const RENEW_BEFORE_MS = 300_000;
const ROLE_PATH = 'meta-data/iam/security-credentials/';

/** Gives valid credentials: from the environment when it has them, else those of the host's role. */
export function credentialSource(
  environment: Readonly<Record<string, string | undefined>>,
  metadata: InstanceMetadata | undefined,
): () => Promise<Credentials> {
  const accessKeyId = environment.AWS_ACCESS_KEY_ID;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY;
  const sessionToken = environment.AWS_SESSION_TOKEN;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const fixed = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    return () => Promise.resolve(fixed);
  }
  let known: { readonly credentials: Credentials; readonly untilMs: number } | undefined;
  return async () => {
    if (metadata === undefined)
      throw new Error('There are no AWS credentials: set AWS_ACCESS_KEY_ID and its secret');
    if (known === undefined || Date.now() > known.untilMs - RENEW_BEFORE_MS) known = await ofRole(metadata);
    return known.credentials;
  };
}

async function ofRole(metadata: InstanceMetadata): Promise<{ credentials: Credentials; untilMs: number }> {
  const role = (await metadata.get(ROLE_PATH))?.trim().split('\n')[0];
  const document = role === undefined ? undefined : await metadata.get(ROLE_PATH + role);
  if (document === undefined) throw new Error('The instance has no role: attach an instance profile');
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(document) as Record<string, string>;
  if (AccessKeyId === undefined || SecretAccessKey === undefined || Token === undefined) {
    throw new Error(`IMDS gave no credentials for the role ${role}`);
  }
  return {
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
    untilMs: Date.parse(Expiration ?? ''),
  };
}
