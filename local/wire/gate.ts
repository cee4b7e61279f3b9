/** A call of a service, as far as what it needs follows from it. */
export interface GatedCall {
  readonly signingName: string;
  readonly operation: string;
  readonly input: unknown;
}

/** Who may do what, asked before a call reaches its service. */
export interface Gate {
  /** Whether this caller has a role's permissions alone. Every other key is the account's own administrator. */
  governs(accessKeyId: string): boolean;
  /** @throws ServiceError, as the service answers it, when its role does not allow the call. */
  check(accessKeyId: string, call: GatedCall): Promise<void>;
}
