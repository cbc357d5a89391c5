/** A copy outside the shared pool of small buffers, so that zeroing it covers all there is. */
export function ownedCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  return copy;
}
