import { expect } from "chai";
import { weakSettings } from "../../../src/app/hardening/environment-rules.ts";

const names = (variables: Record<string, string>, nodeArguments: readonly string[] = []): readonly string[] =>
  weakSettings(variables, nodeArguments).map(({ setting }) => setting);

describe("environment rules", () => {
  it("L-08, M-04: name every variable and option that weakens the process, on the command line or in NODE_OPTIONS", () => {
    for (const variable of [
      "NODE_TLS_REJECT_UNAUTHORIZED",
      "SSLKEYLOGFILE",
      "NODE_DEBUG",
      "OPENSSL_CONF",
      "NODE_EXTRA_CA_CERTS",
      "NODE_USE_SYSTEM_CA",
      "NODE_COMPILE_CACHE",
    ])
      expect(names({ [variable]: "0" }), variable).to.deep.equal([variable]);
    for (const option of [
      "--inspect=0.0.0.0:9229",
      "--inspect-brk",
      "--tls-min-v1.0",
      "--tls-keylog=keys.txt",
      "--heapsnapshot-signal=SIGUSR2",
      "--report-on-signal",
      "--heap-prof",
      "--cpu-prof",
      "--diagnostic-dir=reports",
      "--require=./x.js",
      "--import=./x.js",
      "--insecure-http-parser",
      "--trace-tls",
      "--openssl-legacy-provider",
      "--abort-on-uncaught-exception",
      "-r",
      "--max-http-header-size=999999",
    ]) {
      const name = option.split("=")[0];
      expect(names({ NODE_OPTIONS: option }), option).to.deep.equal([name]);
      expect(names({}, [option]), option).to.deep.equal([name]);
    }
  });

  it("let memory settings pass", () => {
    const fine = "--max-old-space-size=256  --max-semi-space-size=16 --disable-sigusr1";
    expect(
      names({ NODE_OPTIONS: fine, PATH: "/bin", HOME: "/" }, ["--secure-heap=65536", "--max_old_space_size=256"]),
    ).to.deep.equal([]);
  });

  it("name each once, and never repeat a value", () => {
    const found = weakSettings({ NODE_OPTIONS: "--import /secret/path --import --inspect=secret" }, ["--inspect"]);
    expect(JSON.stringify(found)).not.to.include("secret");
    expect(found.map(({ setting }) => setting)).to.deep.equal(["--import", "a value in NODE_OPTIONS", "--inspect"]);
  });
});
