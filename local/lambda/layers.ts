import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as api from '@aws-sdk/client-lambda';
import { type EngineContext, type Operations, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { page } from './page.ts';

/** One published version of a layer. Its content never changes. */
export interface LayerVersion {
  readonly name: string;
  readonly version: number;
  readonly arn: string;
  /** Absolute path of the zip file. */
  readonly file: string;
  readonly description: string;
  readonly compatibleRuntimes: readonly string[];
  readonly codeSize: number;
  readonly codeSha256: string;
  readonly createdMs: number;
}

export interface LayerSpec {
  readonly name: string;
  readonly content: Uint8Array;
  readonly description?: string;
  readonly compatibleRuntimes?: readonly string[];
}

export interface LayersOptions {
  /** Where layer contents are kept; publishing is refused when absent. */
  readonly layersDir?: string;
  /** The URL a host downloads a version from; a file URL when absent. */
  readonly layerUrl?: (layer: LayerVersion) => string;
}

const NAME = /^[a-zA-Z0-9-_]{1,140}$/;
/** A zip file sent in the request itself. */
const MAX_ZIP_BYTES = 52_428_800;

export class Layers {
  readonly #context: EngineContext;
  readonly #options: LayersOptions;
  readonly #records: Collection<LayerVersion>;

  constructor(context: EngineContext, options: LayersOptions) {
    this.#context = context;
    this.#options = options;
    this.#records = context.state.collection<LayerVersion>('lambda.layers');
  }

  versions(name: string): LayerVersion[] {
    const own = [...this.#records.values()].filter((layer) => layer.name === name);
    return own.sort((left, right) => right.version - left.version);
  }

  latest(): LayerVersion[] {
    const names = new Set([...this.#records.values()].map(({ name }) => name));
    return [...names].sort().flatMap((name) => this.versions(name).slice(0, 1));
  }

  /** By number, as `name:version`. */
  get(name: string, version: number): LayerVersion {
    const layer = this.#records.get(`${name}:${version}`);
    if (layer) return layer;
    throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.', 404, {
      Type: 'User',
    });
  }

  url(layer: LayerVersion): string {
    return this.#options.layerUrl?.(layer) ?? pathToFileURL(layer.file).href;
  }

  /** Publishes a new version; content that is already the latest version is not published again. */
  publish(spec: LayerSpec): LayerVersion {
    const { region, accountId, clock } = this.#context;
    const { layersDir } = this.#options;
    if (!NAME.test(spec.name)) throw new ServiceError('ValidationException', `Bad layer name '${spec.name}'`);
    if (!layersDir) throw new ServiceError('ServiceException', 'No place to keep layers', 500);
    const codeSha256 = createHash('sha256').update(spec.content).digest('base64');
    const previous = this.versions(spec.name)[0];
    if (previous?.codeSha256 === codeSha256) return previous;
    const version = (previous?.version ?? 0) + 1;
    mkdirSync(layersDir, { recursive: true });
    const file = join(layersDir, `${spec.name}-${version}.zip`);
    // A killed process must not leave half a file under the final name.
    writeFileSync(`${file}.part`, spec.content);
    renameSync(`${file}.part`, file);
    const layer: LayerVersion = {
      name: spec.name,
      version,
      arn: `arn:aws:lambda:${region}:${accountId}:layer:${spec.name}:${version}`,
      file,
      description: spec.description ?? '',
      compatibleRuntimes: spec.compatibleRuntimes ?? [],
      codeSize: spec.content.byteLength,
      codeSha256,
      createdMs: clock.now(),
    };
    this.#records.set(`${layer.name}:${version}`, layer);
    return layer;
  }

  content(layer: LayerVersion): Uint8Array {
    return readFileSync(layer.file);
  }
}

const arnWithoutVersion = (layer: LayerVersion): string => layer.arn.slice(0, layer.arn.lastIndexOf(':'));
const layerNameOf = (nameOrArn: string | undefined): string =>
  (nameOrArn ?? '').split(':')[6] ?? nameOrArn ?? '';

function item(layer: LayerVersion): api.LayerVersionsListItem {
  return {
    LayerVersionArn: layer.arn,
    Version: layer.version,
    Description: layer.description,
    CreatedDate: new Date(layer.createdMs).toISOString().replace('Z', '+0000'),
    CompatibleRuntimes: [...layer.compatibleRuntimes] as api.Runtime[],
  };
}

/** The operations on layers: the agent's bundle is one, and hosts download it at boot. */
export function layerOperations(layers: Layers): Operations {
  const detail = (layer: LayerVersion): Omit<api.GetLayerVersionResponse, never> => ({
    ...item(layer),
    LayerArn: arnWithoutVersion(layer),
    Content: { Location: layers.url(layer), CodeSha256: layer.codeSha256, CodeSize: layer.codeSize },
  });
  return {
    PublishLayerVersion: (input: api.PublishLayerVersionCommandInput) => {
      const content = input.Content?.ZipFile;
      if (!content) {
        throw new ServiceError('InvalidParameterValueException', 'Only a ZipFile can be published here.');
      }
      if (content.byteLength > MAX_ZIP_BYTES) {
        throw new ServiceError(
          'RequestTooLargeException',
          `Request must be smaller than ${MAX_ZIP_BYTES} bytes`,
          413,
        );
      }
      const layer = layers.publish({
        name: layerNameOf(input.LayerName),
        content,
        ...(input.Description ? { description: input.Description } : {}),
        ...(input.CompatibleRuntimes ? { compatibleRuntimes: input.CompatibleRuntimes } : {}),
      });
      return detail(layer);
    },
    GetLayerVersion: (input: api.GetLayerVersionCommandInput) =>
      detail(layers.get(layerNameOf(input.LayerName), input.VersionNumber ?? 0)),
    GetLayerVersionByArn: (input: api.GetLayerVersionByArnCommandInput) => {
      const parts = (input.Arn ?? '').split(':');
      return detail(layers.get(parts[6] ?? '', Number(parts[7])));
    },
    ListLayers: (input: api.ListLayersCommandInput) => {
      const { items, next } = page(layers.latest(), input.Marker, input.MaxItems ?? 50);
      return {
        Layers: items.map((layer) => ({
          LayerName: layer.name,
          LayerArn: arnWithoutVersion(layer),
          LatestMatchingVersion: item(layer),
        })),
        ...(next ? { NextMarker: next } : {}),
      };
    },
    ListLayerVersions: (input: api.ListLayerVersionsCommandInput) => {
      const own = layers.versions(layerNameOf(input.LayerName));
      const { items, next } = page(own, input.Marker, input.MaxItems ?? 50);
      return { LayerVersions: items.map(item), ...(next ? { NextMarker: next } : {}) };
    },
  };
}
