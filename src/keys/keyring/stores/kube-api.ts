import { Agent } from "undici";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { readPublicFile } from "../../../base/public-file.ts";
import { quietJson } from "../../../base/quiet-json.ts";
import type { KubeAccess } from "./kube-access.ts";

const patienceMs = 10_000;
/** A ConfigMap holds 1 MiB of data; escapes, annotations and managed fields come on top. */
const longestAnswer = 8 * 1024 * 1024;

export interface KubeQuestion {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly message?: object | undefined;
}

export interface KubeAnswer {
  readonly status: number;
  /** `undefined` for what is no JSON. */
  readonly body: unknown;
}

/** One request to the API of the cluster: TLS 1.3 under the cluster's own authority, no redirects. Throws `store_unavailable`, `file_unreadable`. */
export async function askKube(
  { origin, caFile, tokenFile }: KubeAccess,
  { method, path, message }: KubeQuestion,
): Promise<KubeAnswer> {
  // Read for every request: tokens live an hour, and authorities are renewed too.
  const [ca, token] = await Promise.all([readPublicFile(caFile), readPublicFile(tokenFile)]);
  const agent = new Agent({
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
    maxResponseSize: longestAnswer,
    allowH2: false,
    // Said in so many words, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
    connect: { ca, minVersion: "TLSv1.3", rejectUnauthorized: true, timeout: patienceMs },
  });
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path,
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token.toString("utf8").trim()}`,
        ...(message === undefined ? {} : { "content-type": contentTypes[method] }),
      },
      ...(message === undefined ? {} : { body: JSON.stringify(message) }),
      signal: AbortSignal.timeout(patienceMs),
    });
    return { status: statusCode, body: quietJson(await body.text()) };
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no answer";
    throw new SealwrightError("store_unavailable", { reason: code }, error);
  } finally {
    await agent.destroy();
  }
}

const contentTypes = {
  GET: "application/json",
  POST: "application/json",
  PATCH: "application/merge-patch+json",
} as const;
