import { processEnvironment } from './settings.ts';

/** As the SDK's own `defaultProvider` is called: once for each client, whose credentials it then memoises. */
export const defaultProvider = () => lambdaCredentials;

/**
 * Stands in for `@aws-sdk/credential-provider-node` in the bundles (`scripts/bundle.ts`). Lambda hands every execution
 * environment its role's credentials in these variables and replaces the environment before they expire; the SDK's
 * chain of profiles, SSO, web identities and metadata services would never be asked, and is a quarter of a bundle.
 */
async function lambdaCredentials() {
  const environment = processEnvironment();
  const accessKeyId = environment.AWS_ACCESS_KEY_ID;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY;
  const sessionToken = environment.AWS_SESSION_TOKEN;
  if (!accessKeyId || !secretAccessKey) {
    throw new Error(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: Lambda sets them from the function's role.",
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
