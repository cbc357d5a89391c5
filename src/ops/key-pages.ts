import type { KeyService } from "../keys/key-service.ts";
import type { AdminAnswer, AdminPage, AdminPages } from "./admin-pages.ts";
import type { AdminToken, TokenVerdict } from "./admin-token.ts";

/** The keys' own part of the admin listener. */
type ServedKeys = Pick<KeyService, "drill" | "purge">;

const refusals: Readonly<
  Record<Exclude<TokenVerdict, "granted">, { readonly status: number; readonly error: string }>
> = Object.freeze({
  "no token file": { status: 403, error: "no token file: name one in admin.tokenFile and start anew" },
  "unusable token file": {
    status: 403,
    error: "the token file cannot be used: it needs 16 to 4096 printable characters",
  },
  wrong: { status: 401, error: "wrong token" },
  "too many": { status: 429, error: "too many requests: retry in a second" },
});

const json = (status: number, value: unknown): AdminAnswer => ({
  status,
  contentType: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

/**
 * `GET /keys/drill`: what would happen without the key service. `POST /keys/purge`, with the token: every data key leaves the
 * memory. `keys`: absent while the sidecar starts, and where it has none.
 */
export function keyPages(keys: () => ServedKeys | undefined, token: AdminToken): AdminPages {
  const drill: AdminPage = {
    method: "GET",
    answer: () => {
      const served = keys();
      return served === undefined ? json(503, { error: "no keys" }) : json(200, served.drill());
    },
  };
  const purge: AdminPage = {
    method: "POST",
    answer: async ({ authorization }) => {
      const verdict = await token.judge(authorization);
      if (verdict !== "granted") return json(refusals[verdict].status, { error: refusals[verdict].error });
      const served = keys();
      return served === undefined ? json(503, { error: "no keys" }) : json(200, { purged: await served.purge() });
    },
  };
  return new Map([
    ["/keys/drill", drill],
    ["/keys/purge", purge],
  ]);
}
