/**
 * How every SDK client calls: kept-alive connections (the SDK's default agent), bounded waits, few tries of its own. An
 * operation that may be tried longer says so where it is called. The endpoint comes from AWS_ENDPOINT_URL when that is
 * set, credentials and Region from Lambda's environment; the SDK reads all three by itself.
 */
export const clientOptions = (requestTimeoutMs: number) => ({
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: requestTimeoutMs,
    // Without it the SDK only warns of a late answer and waits on.
    throwOnRequestTimeout: true,
  },
});
