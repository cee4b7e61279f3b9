import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultPlan } from '../engine/faults.ts';
import { readBody } from '../wire/body.ts';
import { exchange, type StoredAnswer } from './exchange.ts';
import { MAX_BODY_BYTES, mayBeStale, mayWrite, operationOf } from './operation.ts';
import { type DatabaseGate, refuse, send, sendError } from './proxy.ts';
import { namesPlace, type Place, relocate } from './relocate.ts';

const MAX_KEPT_ANSWERS = 500;
const MAX_KEPT_BYTES = 256 * 1024;

/**
 * The database proxy with the misbehaviour of a real service: at `dynamodb.<Operation>` errors, delays, lost answers,
 * requests that never arrive or are carried out twice; at `dynamodb.<Operation>.stale` an eventually consistent read
 * answered as it was answered before.
 */
export function faultyProxy(url: string, place: Place, plan: FaultPlan, onWrite: () => void): DatabaseGate {
  const proxy = new FaultyProxy(new URL(url), place, plan, onWrite);
  return {
    forward: (request, response, body) => proxy.forward(request, response, body),
    close: () => proxy.close(),
  };
}

class FaultyProxy {
  readonly #url: URL;
  readonly #place: Place;
  readonly #plan: FaultPlan;
  readonly #onWrite: () => void;
  readonly #agent = new Agent({ keepAlive: true });
  /** Latest answers to reads, oldest first: any of them was true once, which is all an eventual read promises. */
  readonly #kept = new Map<string, StoredAnswer>();

  constructor(url: URL, place: Place, plan: FaultPlan, onWrite: () => void) {
    this.#url = url;
    this.#place = place;
    this.#plan = plan;
    this.#onWrite = onWrite;
  }

  close(): void {
    this.#agent.destroy();
  }

  async forward(request: IncomingMessage, response: ServerResponse, read?: Buffer): Promise<void> {
    const operation = operationOf(request.headers);
    const fault = this.#plan.at(`dynamodb.${operation}`);
    try {
      const body = read ?? (await readBody(request, MAX_BODY_BYTES));
      const answer = await this.#carryOut(request, body, operation, fault);
      if (answer === undefined || fault?.kind === 'lost-answer') response.destroy();
      else if ('code' in answer) sendError(response, answer.statusCode, answer.code, answer.message);
      else send(response, namesPlace(operation) ? relocate(answer, operation, this.#place) : answer);
    } catch {
      refuse(response);
    }
  }

  /** Undefined when the request is dropped on its way. */
  async #carryOut(
    request: IncomingMessage,
    body: Buffer,
    operation: string,
    fault: Fault | undefined,
  ): Promise<StoredAnswer | (Fault & { kind: 'error' }) | undefined> {
    if (fault?.kind === 'error') return fault;
    if (fault?.kind === 'drop') return undefined;
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    const times = fault?.kind === 'duplicate' ? Math.max(fault.copies, 1) : 1;
    // The answer to the last copy is what a caller sees who tried again.
    let answer = await this.#read(request, body, operation);
    for (let copy = 1; copy < times; copy += 1) answer = await this.#read(request, body, operation);
    return answer;
  }

  async #read(request: IncomingMessage, body: Buffer, operation: string): Promise<StoredAnswer> {
    if (!mayBeStale(operation, body)) {
      const answer = await exchange(this.#url, this.#agent, request, body);
      if (mayWrite(operation)) this.#onWrite();
      return answer;
    }
    const key = `${operation} ${body.toString('latin1')}`;
    const earlier = this.#kept.get(key);
    if (earlier !== undefined && this.#plan.at(`dynamodb.${operation}.stale`) !== undefined) return earlier;
    const answer = await exchange(this.#url, this.#agent, request, body);
    if (answer.statusCode === 200) this.#keep(key, answer);
    return answer;
  }

  #keep(key: string, answer: StoredAnswer): void {
    this.#kept.delete(key);
    if (key.length + answer.body.length > MAX_KEPT_BYTES) return;
    this.#kept.set(key, answer);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_ANSWERS && oldest !== undefined) this.#kept.delete(oldest);
  }
}
