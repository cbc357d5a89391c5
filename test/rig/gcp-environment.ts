import { setVariable } from "./aws-credentials.ts";

/** What decides where Google's library looks for credentials. */
const variables = [
  "GCE_METADATA_HOST",
  "METADATA_SERVER_DETECTION",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "CLOUDSDK_CONFIG",
  "HOME",
] as const;

/** The fake metadata server at `host` is where tokens of the tests of one `describe` come from, whoever runs them. */
export function useGcpMetadata(host: () => string, emptyFolder: () => string): void {
  const before = variables.map((name) => process.env[name]);
  beforeEach(() => {
    setVariable("GCE_METADATA_HOST", host());
    // Else every client probes for half a second whether there is one.
    setVariable("METADATA_SERVER_DETECTION", "assume-present");
    setVariable("GOOGLE_APPLICATION_CREDENTIALS", undefined);
    // A developer's own credentials lie below one of these.
    setVariable("CLOUDSDK_CONFIG", emptyFolder());
    setVariable("HOME", emptyFolder());
  });
  afterEach(() => {
    for (const [index, name] of variables.entries()) setVariable(name, before[index]);
  });
}
