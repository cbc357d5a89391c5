/** One line per member, names in one column. */
export function memberLines(members: Readonly<Record<string, string | number | boolean>>): readonly string[] {
  const width = Math.max(...Object.keys(members).map((name) => name.length));
  return Object.entries(members).map(([name, value]) => `${name.padEnd(width)}  ${String(value)}`);
}

/** Rows with their cells in columns, two spaces between. */
export function columnLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
