import { Agent, fetch as undiciFetch } from "undici";
import type { GoogleAuth } from "google-auth-library";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { SingleFlight } from "../../base/single-flight.ts";

/** Port: where access tokens come from. Both throw `kms_unavailable` where none is to be had: the key service was not asked. */
export interface GcpTokens {
  current(): Promise<string>;
  /** A token other than `refused`, which the service did not take. */
  after(refused: string): Promise<string>;
  close(): Promise<void>;
}

/** No more than a key needs. */
const scope = "https://www.googleapis.com/auth/cloudkms";

/**
 * Tokens by Application Default Credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names (a service account, or workload
 * identity federation), else the metadata server (workload identity of GKE). Kept until shortly before they end.
 */
export class GoogleTokens implements GcpTokens {
  readonly #agent: Agent;
  readonly #make: () => GoogleAuth;
  readonly #flights = new SingleFlight<string>();
  #auth: GoogleAuth;

  private constructor(make: (agent: Agent) => GoogleAuth) {
    const agent = new Agent({ connect: { minVersion: "TLSv1.3", rejectUnauthorized: true } });
    this.#agent = agent;
    this.#make = () => make(agent);
    this.#auth = this.#make();
  }

  static async open(): Promise<GoogleTokens> {
    const library = await import("google-auth-library");
    return new GoogleTokens(
      (agent) =>
        new library.GoogleAuth({
          scopes: scope,
          // No request needs it; not given, the library would run `gcloud` to learn it.
          projectId: "none",
          clientOptions: { transporterOptions: { fetchImplementation: fetchBy(agent) } },
        }),
    );
  }

  current(): Promise<string> {
    return this.#flights.run("token", () => this.#fetched());
  }

  after(refused: string): Promise<string> {
    return this.#flights.run("renewal", async () => {
      const token = await this.current();
      if (token !== refused) return token;
      // Another client forgets the token, and reads a credentials file anew.
      this.#auth = this.#make();
      return this.current();
    });
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #fetched(): Promise<string> {
    let token: string | null | undefined;
    try {
      token = await this.#auth.getAccessToken();
    } catch (error) {
      throw new SealwrightError("kms_unavailable", { reason: "no access token" }, error);
    }
    if (typeof token === "string" && /^[\x21-\x7e]{1,16384}$/.test(token)) return token;
    throw new SealwrightError("kms_unavailable", { reason: "no access token" });
  }
}

/** The library's requests under this project's rules of TLS. */
function fetchBy(dispatcher: Agent): typeof fetch {
  const fetching = (input: unknown, init: unknown): unknown =>
    undiciFetch(input as Parameters<typeof undiciFetch>[0], { ...(init as object), dispatcher });
  return fetching as typeof fetch;
}
