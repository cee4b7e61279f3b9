import type { OperationModel, ServiceModel } from './model.ts';

/** One piece of a URI template: literal text or a label. No service here has a label that spans several. */
type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'label'; readonly name: string };

interface Route {
  readonly operation: OperationModel;
  readonly method: string;
  readonly segments: readonly Segment[];
  /** Query parameters the template fixes, as in `/path?action=x`. */
  readonly fixedQuery: readonly (readonly [string, string])[];
}

export interface RouteMatch {
  readonly operation: OperationModel;
  readonly labels: ReadonlyMap<string, string>;
}

const tables = new WeakMap<ServiceModel, readonly Route[]>();

/** The operation whose URI template fits the request best: literal text before labels, more fixed query before less. */
export function matchRoute(
  service: ServiceModel,
  method: string,
  path: string,
  query: URLSearchParams,
): RouteMatch | undefined {
  const parts = splitPath(path);
  for (const route of routesOf(service)) {
    if (route.method !== method) continue;
    if (!route.fixedQuery.every(([name, value]) => query.get(name) === value)) continue;
    const labels = matchSegments(route.segments, parts);
    if (labels !== undefined) return { operation: route.operation, labels };
  }
  return undefined;
}

function routesOf(service: ServiceModel): readonly Route[] {
  const known = tables.get(service);
  if (known !== undefined) return known;
  const routes: Route[] = [];
  for (const operation of service.operations.values()) {
    if (operation.http !== undefined) routes.push(toRoute(operation, operation.http));
  }
  routes.sort(bySpecificity);
  tables.set(service, routes);
  return routes;
}

function toRoute(operation: OperationModel, http: { readonly method: string; readonly uri: string }): Route {
  const [path = '', queryText = ''] = http.uri.split('?');
  return {
    operation,
    method: http.method,
    segments: splitPath(path).map(toSegment),
    fixedQuery: [...new URLSearchParams(queryText)],
  };
}

function toSegment(text: string): Segment {
  const name = /^\{(.+)\}$/.exec(text)?.[1];
  if (name === undefined) return { kind: 'literal', text };
  if (name.endsWith('+')) throw new Error(`the wire has no greedy labels: ${text}`);
  return { kind: 'label', name };
}

/** Clients differ on a trailing slash (`/2015-03-31/functions/`), so it does not count. */
function splitPath(path: string): string[] {
  return path.replace(/^\/+|\/+$/g, '').split('/');
}

function bySpecificity(left: Route, right: Route): number {
  for (let index = 0; index < Math.min(left.segments.length, right.segments.length); index += 1) {
    const difference = rank(left.segments[index]) - rank(right.segments[index]);
    if (difference !== 0) return difference;
  }
  return right.fixedQuery.length - left.fixedQuery.length;
}

function rank(segment: Segment | undefined): number {
  return segment?.kind === 'label' ? 1 : 0;
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Map<string, string> | undefined {
  if (segments.length !== parts.length) return undefined;
  const labels = new Map<string, string>();
  for (const [index, segment] of segments.entries()) {
    const text = parts[index];
    if (text === undefined || text === '') return undefined;
    if (segment.kind === 'literal') {
      if (segment.text !== text) return undefined;
    } else {
      const decoded = decode(text);
      if (decoded === undefined) return undefined;
      labels.set(segment.name, decoded);
    }
  }
  return labels;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
