/** Tasks of one group counted by domain (a zone, a host, an attribute's value). */
export class SpreadCounter {
  /** Domain by row. */
  readonly domainOf: Int32Array;
  readonly counts: Int32Array;
  readonly names: readonly string[];

  constructor(domains: readonly string[], tasksByRow: Int32Array) {
    const index = new Map<string, number>();
    this.domainOf = new Int32Array(domains.length);
    domains.forEach((name, row) => {
      const domain = index.get(name) ?? index.size;
      index.set(name, domain);
      this.domainOf[row] = domain;
    });
    this.names = [...index.keys()];
    this.counts = new Int32Array(index.size);
    tasksByRow.forEach((count, row) => {
      if (count !== 0) this.add(row, count);
    });
  }

  add(row: number, change: number): void {
    const domain = this.domainOf[row] as number;
    this.counts[domain] = (this.counts[domain] as number) + change;
  }

  countAt(row: number): number {
    return this.counts[this.domainOf[row] as number] as number;
  }
}
