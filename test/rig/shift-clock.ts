/** Preloaded into a sidecar under test: SIGUSR2 moves its wall clock a day on, the next SIGUSR2 two days back. */
const day = 86_400_000;
let shift = 0;
const realNow = Date.now.bind(Date);

class ShiftedDate extends Date {
  constructor(...parts: readonly unknown[]) {
    super(...(parts as []));
    if (parts.length === 0) this.setTime(realNow() + shift);
  }

  static override now(): number {
    return realNow() + shift;
  }
}

Object.defineProperty(globalThis, "Date", { value: ShiftedDate });
process.on("SIGUSR2", () => (shift = shift > 0 ? -day : day));

export {};
