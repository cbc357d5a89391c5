export interface StopSignals {
  /** Settles with the name of the first signal that asks to stop. */
  readonly first: Promise<string>;
  /** Gives the signals back to the system's own handling. */
  release(): void;
}

/** Listens for SIGTERM and SIGINT. From the second one on each calls `again`. */
export function stopSignals(again: () => void): StopSignals {
  const { promise, resolve } = Promise.withResolvers<string>();
  let asked = false;
  const heard = (signal: string): void => {
    if (asked) again();
    asked = true;
    resolve(signal);
  };
  process.on("SIGTERM", heard);
  process.on("SIGINT", heard);
  return {
    first: promise,
    release: () => {
      process.off("SIGTERM", heard);
      process.off("SIGINT", heard);
    },
  };
}
