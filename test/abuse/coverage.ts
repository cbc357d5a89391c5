/** A case, or the named part of one, that has no test here. */
export interface Uncovered {
  readonly id: string;
  /** `undefined` = all of it. */
  readonly part?: string;
  readonly reason: string;
  /** The test that proves it elsewhere, relative to the project. */
  readonly provenBy?: string;
}

/** Every id of the abuse list is the title of a test or stands here with its reason. */
export const uncovered: readonly Uncovered[] = [
  {
    id: "C-08",
    part: "minimum version in the config",
    reason: "there is one version; the setting comes with the second",
  },
  { id: "C-14", reason: "streams of files and objects are not built" },
  { id: "C-16", reason: "primitives are tested without sockets", provenBy: "test/crypto/wycheproof.test.ts" },
  ...["D-01", "D-02"].map((id) => ({ id, part: "blind indexes", reason: "equality search is not built" })),
  ...["D-03", "D-04", "D-05", "D-06", "D-07"].map((id) => ({
    id,
    reason: "equality search is not built",
  })),
  { id: "Q-03", reason: "reload is not built" },
  { id: "Q-04", reason: "reload is not built" },
];
