export type Paint = (text: string) => string;

/** How text is painted on this output; every member gives its text back unchanged where colours are not wanted. */
export interface Ink {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly green: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
}

export interface Cell {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

/** ANSI colours when `coloured`. */
export function inkFor(coloured: boolean): Ink {
  const sgr =
    (code: number): Paint =>
    (text) =>
      coloured ? `\u001b[${code}m${text}\u001b[0m` : text;
  return Object.freeze({ bold: sgr(1), dim: sgr(2), green: sgr(32), red: sgr(31), yellow: sgr(33) });
}

/** Lines of a table whose columns are as wide as their widest cell. Painted after padding, so that colours take no room. */
export function columns(heads: readonly string[], rows: readonly (readonly Cell[])[], ink: Ink): string[] {
  const widths = heads.map((head, column) =>
    Math.max(displayWidth(head), ...rows.map((row) => displayWidth(row[column]?.text ?? ""))),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, paint }, column) => {
        const padded = text + " ".repeat((widths[column] ?? 0) - displayWidth(text));
        return paint === undefined ? padded : paint(padded);
      })
      .join("  ")
      .trimEnd();
  return [line(heads.map((text) => ({ text, paint: ink.dim }))), ...rows.map(line)];
}

const graphemes = new Intl.Segmenter("en");

/** Columns that `text` takes on a terminal: emoji take two. */
const displayWidth = (text: string): number =>
  [...graphemes.segment(text)].reduce(
    (width, { segment }) => width + (/\p{Emoji_Presentation}/u.test(segment) ? 2 : 1),
    0,
  );
