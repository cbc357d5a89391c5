/** No bytes; one for all, since making an empty Buffer costs as much as a small one. */
export const emptyBytes: Buffer = Buffer.alloc(0);
