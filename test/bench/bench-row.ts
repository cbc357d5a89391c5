/** One measured number of BENCHMARKS.md. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}
