import { readFileSync } from 'node:fs';
import { hostCapacity } from '../../layers/domain/capacity/hostCapacity.ts';
import type { InstanceType } from '../../layers/domain/model/pool.ts';

export interface CatalogueType extends InstanceType {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly metal: boolean;
}

interface Catalogue {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Every EC2 type the embedded AWS knows, with what its hosts offer to tasks. */
export function instanceTypes(): CatalogueType[] {
  const file = new URL('./data/instance-types.json', import.meta.url);
  const { columns, rows } = JSON.parse(readFileSync(file, 'utf8')) as Catalogue;
  const column = (name: string): number => {
    const at = columns.indexOf(name);
    if (at < 0) throw new Error(`${file.pathname} has no column ${name}`);
    return at;
  };
  const [type, arch, vcpus, memory, price] = ['type', 'arch', 'vcpus', 'memoryMiB', 'usdPerHour'].map(column);
  const [metal, enis, gpus] = ['metal', 'enis', 'gpus'].map(column);
  const number = (row: readonly (string | number)[], at: number | undefined): number =>
    Number(row[at ?? -1] ?? 0);
  return rows
    .map((row): CatalogueType => {
      const size = {
        vcpus: number(row, vcpus),
        memoryMiB: number(row, memory),
        gpus: number(row, gpus),
        taskEnis: Math.max(0, number(row, enis) - 1),
      };
      return {
        name: String(row[type ?? 0]),
        architecture: row[arch ?? 1] === 'arm64' ? 'arm64' : 'x86_64',
        capacity: hostCapacity(size),
        usdPerHour: number(row, price),
        maxTaskEnis: size.taskEnis,
        metal: number(row, metal) === 1,
        ...size,
      };
    })
    .filter(({ usdPerHour }) => usdPerHour > 0);
}

/** The default pool's types: virtual amd64 hosts of the c, m and r families, generation 3 or later. */
export const isGeneral = ({ name, architecture, metal }: CatalogueType): boolean =>
  architecture === 'x86_64' && !metal && /^[cmr][3-9]/.test(name);
