import { httpCall } from './httpCall.ts';

const HOST = 'http://169.254.169.254';
const TOKEN_SECONDS = 21_600;
/** IMDS is on the machine: what does not come at once will not come. */
const CALL_BOUND_MS = 1_000;

/** Instance metadata, version 2 only: a token first, renewed before it expires. */
export class InstanceMetadata {
  readonly #endpoint: string;
  #token: { readonly value: string; readonly untilMs: number } | undefined;

  constructor(endpoint = HOST) {
    this.#endpoint = endpoint;
  }

  /** The document below `/latest/`, or undefined when there is none (404). Rejects when IMDS does not answer. */
  async get(path: string): Promise<string | undefined> {
    const { status, body } = await httpCall(`${this.#endpoint}/latest/${path}`, {
      headers: { 'x-aws-ec2-metadata-token': await this.#tokenValue() },
      boundMs: CALL_BOUND_MS,
    });
    if (status === 404) return undefined;
    if (status !== 200) {
      this.#token = undefined;
      throw new Error(`IMDS answered ${status} for ${path}`);
    }
    return body;
  }

  async #tokenValue(): Promise<string> {
    if (this.#token !== undefined && Date.now() < this.#token.untilMs) return this.#token.value;
    const { status, body } = await httpCall(`${this.#endpoint}/latest/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) },
      boundMs: CALL_BOUND_MS,
    });
    if (status !== 200) throw new Error(`IMDS gave no token: ${status}`);
    this.#token = { value: body, untilMs: Date.now() + (TOKEN_SECONDS / 2) * 1000 };
    return body;
  }
}
