import type { Deliverer, EngineContext, Service } from '../engine/service.ts';
import { AsyncQueue, type AsyncQueueOptions } from './asyncQueue.ts';
import { Destinations } from './destinations.ts';
import type { FunctionRecord, FunctionSpec } from './function.ts';
import { functionOperations } from './functionOperations.ts';
import { Functions } from './functions.ts';
import { invokeOperation } from './invokeOperation.ts';
import { type Invocation, Invoker, type InvokerOptions } from './invoker.ts';
import { type LayerSpec, Layers, type LayersOptions, type LayerVersion, layerOperations } from './layers.ts';
import type { MappingRecord, MappingSpec } from './sources/mapping.ts';
import { mappingOperations } from './sources/mappingOperations.ts';
import { type EventSources, Mappings } from './sources/mappings.ts';

export interface LambdaOptions extends InvokerOptions, AsyncQueueOptions, LayersOptions {
  readonly deliverer: Deliverer;
  readonly sources: EventSources;
  /**
   * When messages that a function has failed come back to it. Absent: at the end of the queue's visibility timeout, as
   * with the real service. A short time makes a demonstration or a test of failures quick.
   */
  readonly failedMessageDelayMs?: number;
}

/** The Lambda engine: the service for the wire, and what the other parts of the embedded AWS call. */
export interface Lambda {
  readonly service: Service;
  /** Creates the function or replaces it, as a template is applied again and again. */
  createFunction(spec: FunctionSpec): FunctionRecord;
  deleteFunction(name: string): Promise<void>;
  functions(): readonly FunctionRecord[];
  /** Creates the mapping of this source to this function, or changes it. */
  createEventSourceMapping(spec: MappingSpec): MappingRecord;
  eventSourceMappings(): readonly MappingRecord[];
  deleteEventSourceMapping(uuid: string): Promise<void>;
  publishLayer(spec: LayerSpec): LayerVersion;
  layers: Pick<Layers, 'get' | 'versions' | 'content' | 'url'>;
  /** Runs an event (JSON text) and waits for its outcome. Rejects when there is no such function or no place for it. */
  invoke(nameOrArn: string, payload: string): Promise<Invocation>;
  /** Takes an event (JSON text) in for later: it is durable when this returns its request id. */
  invokeAsync(nameOrArn: string, payload: string): string;
  /** Starts `count` execution environments ahead of need. */
  prewarm(nameOrArn: string, count: number): Promise<void>;
  /** Asynchronous events that are not settled. */
  readonly pendingAsync: number;
  /** Begins to run queued events and event source mappings; called once, when the template's resources exist. */
  start(): void;
  /** Stops the pollers and ends every execution environment. Queued events stay in the state. */
  close(): Promise<void>;
}

export function createLambda(context: EngineContext, options: LambdaOptions): Lambda {
  const invoker = new Invoker(context, options);
  const functions = new Functions(context, invoker);
  const find = (name: string): FunctionRecord | undefined => functions.find(name);
  const destinations = new Destinations(context, options.deliverer);
  const queue = new AsyncQueue(context, invoker, find, destinations, options);
  const mappings = new Mappings({ ...options, context, invoker, find });
  const layers = new Layers(context, options);
  const functionOf = (name?: string, qualifier?: string): FunctionRecord => functions.get(name, qualifier);

  return {
    service: {
      signingName: 'lambda',
      operations: {
        Invoke: invokeOperation(invoker, queue, functionOf),
        ...functionOperations(functions),
        ...mappingOperations(mappings, functions, context),
        ...layerOperations(layers),
      },
    },
    createFunction: (spec) => functions.put(spec),
    async deleteFunction(name) {
      const own = [...mappings.all()].filter((mapping) => mapping.functionName === name);
      await Promise.all(own.map(({ uuid }) => mappings.delete(uuid)));
      functions.delete(name);
    },
    functions: () => [...functions.all()],
    createEventSourceMapping: (spec) => mappings.put(spec),
    eventSourceMappings: () => [...mappings.all()],
    deleteEventSourceMapping: (uuid) => mappings.delete(uuid),
    publishLayer: (spec) => layers.publish(spec),
    layers,
    invoke: (nameOrArn, payload) => invoker.invoke(functionOf(nameOrArn), { payload }),
    invokeAsync(nameOrArn, payload) {
      const requestId = invoker.newRequestId();
      queue.push(functionOf(nameOrArn), payload, requestId);
      return requestId;
    },
    prewarm: (nameOrArn, count) => invoker.runnerOf(functionOf(nameOrArn)).prewarm(count),
    get pendingAsync() {
      return queue.size;
    },
    start() {
      for (const fn of functions.all()) functions.warm(fn);
      queue.resume();
      mappings.start();
    },
    async close() {
      queue.close();
      await Promise.all([mappings.stop(), invoker.close()]);
    },
  };
}
