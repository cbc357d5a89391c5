const variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const;

/** Credentials for the tests of one `describe`, where the SDK's default chain looks first. */
export function useTestCredentials(): void {
  const before = variables.map((name) => process.env[name]);
  beforeEach(() => {
    for (const name of variables) process.env[name] = "test";
  });
  afterEach(() => {
    for (const [index, name] of variables.entries()) setVariable(name, before[index]);
  });
}

/** Sets an environment variable of this process, or removes it. */
export function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
