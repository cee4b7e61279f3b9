import type { EngineContext } from '../engine/service.ts';

/** Names of ECS resources; long form, with the cluster in it. */
export class Arns {
  private readonly prefix: string;

  constructor(context: EngineContext) {
    this.prefix = `arn:aws:ecs:${context.region}:${context.accountId}:`;
  }

  cluster(name: string): string {
    return `${this.prefix}cluster/${name}`;
  }

  taskDefinition(family: string, revision: number): string {
    return `${this.prefix}task-definition/${family}:${revision}`;
  }

  containerInstance(cluster: string, id: string): string {
    return `${this.prefix}container-instance/${cluster}/${id}`;
  }

  task(cluster: string, id: string): string {
    return `${this.prefix}task/${cluster}/${id}`;
  }

  container(cluster: string, taskId: string, id: string): string {
    return `${this.prefix}container/${cluster}/${taskId}/${id}`;
  }
}

/** The name, or last part, that an ARN or a bare name or id refers to. */
export const lastPart = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1);

/** `kind/rest` of an ECS ARN; undefined for anything else. */
export function parseArn(arn: string): { readonly kind: string; readonly rest: string } | undefined {
  const match = /^arn:aws[\w-]*:ecs:[^:]*:[^:]*:([a-z-]+)\/(.+)$/.exec(arn);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { kind: match[1], rest: match[2] };
}
