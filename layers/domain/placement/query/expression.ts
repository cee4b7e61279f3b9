import type { Pattern } from './pattern.ts';

/** What an expression can ask about a container instance. */
export type Subject =
  | { readonly kind: 'agentConnected' }
  | { readonly kind: 'agentVersion' }
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'ec2InstanceId' }
  | { readonly kind: 'registeredAt' }
  | { readonly kind: 'runningTasksCount' }
  | { readonly kind: 'taskGroup' };

export type OrderOperator = '>' | '>=' | '<' | '<=';

/** A parsed expression. Negative operators (`!=`, `!in`, `!~`, `!exists`) are `not` around their positive. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression }
  | { readonly kind: 'exists'; readonly subject: Subject }
  | { readonly kind: 'equals'; readonly subject: Subject; readonly value: string }
  | { readonly kind: 'in'; readonly subject: Subject; readonly values: ReadonlySet<string> }
  | {
      readonly kind: 'order';
      readonly subject: Subject;
      readonly operator: OrderOperator;
      readonly value: string;
    }
  | { readonly kind: 'matches'; readonly subject: Subject; readonly pattern: Pattern };

/** What a query is asked about. */
export interface HostFacts {
  readonly ec2InstanceId: string;
  /** By name without the `attribute:` prefix; an attribute without a value is the empty string. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly agentConnected: boolean;
  /** Such as `1.86.3`; absent when the agent has not said. */
  readonly agentVersion?: string;
  /** Epoch ms; absent while the host has not registered. */
  readonly registeredAt?: number;
  readonly runningTasksCount: number;
  /** Groups of the tasks on the host. */
  readonly taskGroups: ReadonlySet<string> | readonly string[];
}
