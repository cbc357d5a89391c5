/** A setting of the process's surroundings that weakens it. Its value is never repeated. */
export interface WeakSetting {
  /** Name of a variable, or an option of Node.js. */
  readonly setting: string;
  readonly danger: string;
}

/** Variables that must not be set, whatever to. */
const weakVariables: Readonly<Record<string, string>> = {
  NODE_TLS_REJECT_UNAUTHORIZED: "switches off the check of certificates",
  NODE_EXTRA_CA_CERTS: "widens whom the process believes beyond what the sidecar file says",
  NODE_USE_SYSTEM_CA: "widens whom the process believes beyond what the sidecar file says",
  NODE_COMPILE_CACHE: "runs compiled code from a folder as it lies there",
  NODE_DEBUG: "prints requests and TLS internals",
  NODE_DEBUG_NATIVE: "prints requests and TLS internals",
  NODE_V8_COVERAGE: "writes files about what ran",
  OPENSSL_CONF: "changes the rules of the TLS library",
  OPENSSL_MODULES: "loads code into the TLS library",
  SSLKEYLOGFILE: "writes session keys to a file",
};

/**
 * The options of Node.js that may be given, on its command line or in NODE_OPTIONS: memory and messages. A list of what is good:
 * options that open an inspector, load code, log keys, lower TLS or write memory to disk come with every release.
 */
const harmless =
  /^--(max-old-space-size(-percentage)?|max-semi-space-size|secure-heap(-min)?|stack-trace-limit|dns-result-order|disable-warning)=[A-Za-z0-9_.-]+$|^--(disable-sigusr1|no-warnings|enable-source-maps)$/;

/** Everything weak about how a process was started, each named once. */
export function weakSettings(
  variables: Readonly<Record<string, string | undefined>>,
  nodeArguments: readonly string[],
): readonly WeakSetting[] {
  const named = Object.entries(weakVariables).flatMap(([setting, danger]) =>
    variables[setting] === undefined ? [] : [{ setting, danger }],
  );
  const options = [...(variables["NODE_OPTIONS"] ?? "").split(/\s+/), ...nodeArguments].filter(
    (option) => option !== "" && !harmless.test(withHyphens(option)),
  );
  const names = new Set(options.map(optionName));
  return [
    ...named,
    ...[...names].map((setting) => ({ setting, danger: "is no option that a sidecar may be started with" })),
  ];
}

/** Node.js takes underscores for hyphens in an option's name. */
const withHyphens = (option: string): string => option.replace(/^[^=]*/, (name) => name.replaceAll("_", "-"));

/** The option without its value; what does not look like one is not repeated. */
function optionName(option: string): string {
  return /^--?[A-Za-z0-9._-]{1,60}(?==|$)/.exec(option)?.[0] ?? "a value in NODE_OPTIONS";
}
