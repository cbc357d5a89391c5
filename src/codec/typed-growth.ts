/** `old` when it has room for `needed` items, else its items in an array at least twice as long. */
export function grown(old: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  if (needed <= old.length) return old;
  const larger = new Int32Array(Math.max(needed, old.length * 2));
  larger.set(old);
  return larger;
}
