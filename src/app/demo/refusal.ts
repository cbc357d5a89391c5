/** How a call of the legacy app was refused, as its client reports it. */
export interface Refusal {
  /** Sealwright's error code; empty when the call was not refused, or not by Sealwright. */
  readonly code: string;
  /** For people: `refused: 422 mapped_name`. */
  readonly text: string;
}

/** Makes a call that should fail. nano copies the members of the answer's problem+json body on to its error. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<Refusal> {
  try {
    await attempt();
    return { code: "", text: "NOT REFUSED" };
  } catch (error) {
    const { statusCode, code } = error as { readonly statusCode?: unknown; readonly code?: unknown };
    if (typeof code !== "string" || typeof statusCode !== "number") return { code: "", text: "FAILED" };
    return { code, text: `refused: ${statusCode} ${code}` };
  }
}
