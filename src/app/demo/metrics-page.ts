/** One sample of a Prometheus text page. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one metric on a page in the Prometheus text format. */
export function samplesOf(page: string, metric: string): Sample[] {
  return page.split("\n").flatMap((line) => {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] !== metric) return [];
    const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    const named = labels.map(([, name = "", value = ""]): [string, string] => [name, value]);
    return [{ labels: Object.fromEntries(named), value: Number(match[3]) }];
  });
}

/** Their sum, as far as they carry these labels. */
export function sumOf(page: string, metric: string, wanted: Readonly<Record<string, string>> = {}): number {
  return samplesOf(page, metric)
    .filter(({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
