import { type Deliverer, type DeliveryOptions, ServiceError } from '../engine/service.ts';

export interface Delivery {
  readonly arn: string;
  readonly body: string;
  readonly options: DeliveryOptions;
}

export interface TestDeliverer extends Deliverer {
  /** What targets have taken. */
  readonly taken: Delivery[];
  /** Calls, refused ones included. */
  calls: number;
  /** Refuses deliveries to an ARN while set. */
  readonly refusals: Map<string, ServiceError>;
  bodies(arn: string): unknown[];
}

/** Targets that take everything, until a test makes them refuse. */
export function testDeliverer(): TestDeliverer {
  const taken: Delivery[] = [];
  const refusals = new Map<string, ServiceError>();
  const deliverer: TestDeliverer = {
    taken,
    refusals,
    calls: 0,
    bodies: (arn) =>
      taken.filter((delivery) => delivery.arn === arn).map(({ body }) => JSON.parse(body) as unknown),
    async deliver(arn, body, options = {}) {
      deliverer.calls++;
      const refusal = refusals.get(arn);
      if (refusal !== undefined) throw refusal;
      taken.push({ arn, body, options });
    },
  };
  return deliverer;
}

export const broken = new ServiceError('ServiceException', 'the target is down', 503);
export const gone = new ServiceError('ResourceNotFoundException', 'there is no such function', 404);
