import type { Route } from "../fieldmap/types.ts";

/** One request on one route: what sealing and opening need to know of it. */
export interface Exchange {
  readonly route: Route;
  /** Decoded captures of the route's pattern. */
  readonly captures: ReadonlyMap<string, string>;
  readonly tenant: string;
  /** True for `application/merge-patch+json`: null means delete, an object in a field is `merge_patch_object`. */
  readonly mergePatch: boolean;
}

/**
 * Rewrites one body. The caller writes chunks in order and waits for each answer before the next write (that is the
 * back-pressure); after `end` has settled `take` gives the rest. Any throw or rejection ends it: nothing more may be taken.
 * `close` must be called once at the end, whatever happened; it gives the data keys back.
 */
export interface BodyRewriter {
  /** Throws or rejects with a SealwrightError. Synchronous when every key is in memory. */
  write(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
  /** What may leave now, in order. */
  take(): Buffer[];
  close(): void;
}

/** Where policy, codec and keys meet. */
export interface Engine {
  /**
   * The tenant of a request. `header` gives every value of a request header by lower-case name.
   * Throws `tenant_refused`, `tenant_limit`.
   */
  tenantOf(route: Route, captures: ReadonlyMap<string, string>, header: (name: string) => readonly string[]): string;
  /** For routes whose request rule is `seal` or `pass`. */
  sealRequest(exchange: Exchange): BodyRewriter;
  /** For routes with `open`. */
  openResponse(exchange: Exchange): BodyRewriter;
  /**
   * For a request body of zero bytes on a route that seals: throws `field_missing` where a field has `optional: false`,
   * otherwise nothing.
   */
  checkEmptyRequest(exchange: Exchange): void;
}
