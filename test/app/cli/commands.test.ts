import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

const canary = "CANARY-078051120";
const json = (ran: Ran): Record<string, unknown> => JSON.parse(ran.stdout) as Record<string, unknown>;

describe("commands", () => {
  const folder = useScratchFolder();
  let config: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const value = ["--dataset", "patients", "--tenant", "acme"];

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
  });

  describe("check", () => {
    it("says what is good, and keeps the summary on stdout", async () => {
      const ran = await run("check");
      expect(ran.code).to.equal(0);
      expect(ran.stdout).to.match(/sidecar\.yaml is good\n/);
      expect(ran.stdout).to.include("unmatched: deny");
      expect(ran.stdout).to.include("for development only");
      expect(ran.stderr).to.include("size-growth");
    });

    it("shows each problem as file:line:column rule message and fix", async () => {
      writeFileSync(config, readFileSync(config, "utf8").replace("kek: dev", "kek: prod"));
      const ran = await run("check");
      expect(ran.code).to.equal(1);
      expect(ran.stderr).to.match(
        /sidecar\.yaml:5:29 unknown-kek No KMS has this name\.\n {2}Add it under kms, or use dev\.\n/,
      );
      expect(ran.stdout).to.equal("");
      const machine = await run("check", ["--json"]);
      expect([machine.code, machine.stderr]).to.deep.equal([1, ""]);
      const [problem] = json(machine)["problems"] as { rule: string; line: number; column: number }[];
      expect(problem).to.include({ rule: "unknown-kek", line: 5, column: 29 });
    });

    it("wants every file with --files", async () => {
      expect((await run("check", ["--files"])).code).to.equal(0);
      writeFileSync(config, readFileSync(config, "utf8").replace("keyring.json", "other.json"));
      expect((await run("check")).code).to.equal(0);
      expect((await run("check", ["--files"])).code).to.equal(1);
    });
  });

  describe("keys and kek", () => {
    it("writes a key file of mode 0600 and never over another", async () => {
      const file = join(folder(), "kek.json");
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      const before = readFileSync(file, "utf8");
      const again = await runInProcess(["kek", "create", file, "--json"]);
      expect(again.code).to.equal(1);
      expect((json(again)["error"] as { code: string }).code).to.equal("file_exists");
      expect(readFileSync(file, "utf8")).to.equal(before);
    });

    it("makes a keyring once and prints the id to pin", async () => {
      expect((await run("keys init")).code).to.equal(1);
      writeFileSync(config, readFileSync(config, "utf8").replace("keyring.json", "other.json"));
      const made = await run("keys init", ["--json"]);
      expect(json(made)["rootId"]).to.match(/^[0-9a-f]{64}$/);
      expect(existsSync(join(folder(), "other.json"))).to.equal(true);
    });

    it("splits a keyring into shards", async () => {
      writeFileSync(config, readFileSync(config, "utf8").replace("keyring.json", "ring"));
      expect((await run("keys init", ["--shards", "3"])).code).to.equal(0);
      expect(statSync(join(folder(), "ring")).isDirectory()).to.equal(true);
      for (const none of ["none", "0", "65537", "-1", "1.5"])
        expect((await run("keys init", ["--shards", none])).code, none).to.equal(2);
    });

    it("lists keys, adds pending ones and activates them from notBefore on", async () => {
      const early = ["--dataset", "patients", "--spread", "0s"];
      const late = ["--dataset", "patients", "--not-before", "2999-01-01T00:00:00Z", "--json"];
      await run("keys add", early);
      const { id } = json(await run("keys add", late))["key"] as { id: string };
      const pending = (await run("keys list", ["--state", "pending", "--ids"])).stdout.trim().split("\n");
      expect(pending).to.have.length(2);
      expect((await run("keys activate", [id])).code).to.equal(1);
      const other = pending.find((each) => each !== id) ?? "";
      expect((await run("keys activate", [other.slice(0, 12)])).stdout).to.match(/ {2}active {2}/);
      const list = json(await run("keys list", ["--json"]));
      const states = (list["keys"] as { state: string }[]).map(({ state }) => state).sort();
      expect(states).to.deep.equal(["active", "active", "pending"]);
      expect(list["generation"]).to.equal(5);
    });

    it("adds a second active key of a scope for nobody", async () => {
      const ran = await run("keys add", ["--dataset", "patients", "--active", "--json"]);
      expect([ran.code, (json(ran)["error"] as { code: string }).code]).to.deep.equal([1, "key_state"]);
    });

    it("adds no key for a tenant, a dataset or a time that nothing can have", async () => {
      const wrong = [
        ["--tenant", "a b"],
        ["--dataset", "a/b"],
        ["--not-before", "tomorrow"],
        ["--not-before", "2027-02-31T00:00:00Z"],
        ["--spread", "10"],
        ["--active", "--spread", "1h"],
        ["--active", "--not-before", "2999-01-01T00:00:00Z"],
      ];
      for (const args of wrong) expect((await run("keys add", args)).code, args.join(" ")).to.equal(2);
    });

    it("shows no wrapped key and no key", async () => {
      const keyring = readFileSync(join(folder(), "keyring.json"), "utf8");
      const shown = (await run("keys list", ["--json"])).stdout;
      for (const match of keyring.matchAll(/"wrapped": ?"([^"]+)"/g)) expect(shown).not.to.include(match[1]!);
    });

    it("refuses a keyring that somebody edited", async () => {
      const path = join(folder(), "keyring.json");
      writeFileSync(path, readFileSync(path, "utf8").replace('"active"', '"retired"'));
      const ran = await run("keys list", ["--json"]);
      expect([ran.code, (json(ran)["error"] as { code: string }).code]).to.deep.equal([1, "keyring_forged"]);
    });
  });

  describe("seal and open", () => {
    it("seals one value and gives back the JSON text as it stood", async () => {
      for (const text of ['"078-05-1120"', "1.00", '{"a" : [1,  2]}', "null", '"\\u0041"']) {
        const sealed = await run("seal", [...value, "--field", "ssn", "--record", "7"], `${text}\n`);
        expect(sealed.stdout).to.match(/^swr1\.[A-Za-z0-9_-]+\n$/);
        const opened = await run("open", [...value, "--field", "ssn", "--record", "7"], sealed.stdout);
        expect(opened.stdout).to.equal(`${text}\n`);
      }
    });

    it("seals plain text as a JSON string and prints it plain again", async () => {
      const sealed = await run("seal", [...value, "--field", "$.ssn", "--record", "7", "--text"], 'a "b"\n');
      expect((await run("open", [...value, "--field", "ssn", "--record", "7"], sealed.stdout)).stdout).to.equal(
        '"a \\"b\\""\n',
      );
      const plain = await run(
        "open",
        [...value, "--field", "ssn", "--record", "7", "--text"],
        `"${sealed.stdout.trim()}"`,
      );
      expect(plain.stdout).to.equal('a "b"\n');
    });

    it("opens under no other record, field or tenant, and says one code", async () => {
      const { stdout: sealed } = await run("seal", [...value, "--field", "ssn", "--record", "7"], '"x"');
      const wrong = [
        [...value, "--field", "ssn", "--record", "8"],
        [...value, "--field", "ssn"],
        [...value, "--field", "notes", "--record", "7"],
        ["--dataset", "patients", "--tenant", "other", "--field", "ssn", "--record", "7"],
      ];
      for (const place of wrong) {
        const ran = await run("open", [...place, "--json"], sealed);
        expect([ran.code, (json(ran)["error"] as { code: string }).code]).to.deep.equal([1, "open_failed"]);
      }
    });

    it("opens what was sealed under a field's former name", async () => {
      const map = join(folder(), "patients.yaml");
      const now = readFileSync(map, "utf8");
      writeFileSync(map, now.replace("name: ssn, path: $.ssn, formerly: [social]", "name: social, path: $.ssn"));
      const { stdout: sealed } = await run("seal", [...value, "--field", "social", "--record", "7"], '"x"');
      writeFileSync(map, now);
      expect((await run("open", [...value, "--field", "ssn", "--record", "7"], sealed)).stdout).to.equal('"x"\n');
    });

    it("wants a record or the word that there is none", async () => {
      expect((await run("seal", [...value, "--field", "ssn"], '"x"')).code).to.equal(2);
      expect((await run("seal", [...value, "--field", "ssn", "--record", "7", "--unbound"], '"x"')).code).to.equal(2);
      const { stdout: sealed } = await run("seal", [...value, "--field", "ssn", "--unbound"], '"x"');
      expect((await run("open", [...value, "--field", "ssn", "--record", "9"], sealed)).stdout).to.equal('"x"\n');
    });

    it("seals equal strings of a deterministic field equal, bound to no record", async () => {
      await run("keys add", ["--dataset", "patients", "--use", "deterministic", "--active"]);
      const [a, b] = [
        await run("seal", [...value, "--field", "email"], '"a@x.org"'),
        await run("seal", [...value, "--field", "email"], '"\\u0061@x.org"'),
      ];
      expect(a.stdout).to.equal(b.stdout);
      expect((await run("seal", [...value, "--field", "email", "--record", "7"], '"x"')).code).to.equal(2);
    });

    it("seals a document as a request would be, and opens it as an answer would be", async () => {
      const body = `{ "ssn": "${canary}", "n": 1.00, "notes": [1, 2] }`;
      const sealed = await run("seal", ["--route", "PUT /v1/patients/7", "--tenant", "acme"], body);
      expect(sealed.stdout).not.to.include(canary);
      expect(sealed.stdout).to.match(/^\{ "ssn": "swr1\.[^"]+", "n": 1\.00, "notes": "swr1\.[^"]+" \}$/);
      const opened = await run("open", ["--route", "GET /v1/patients/7", "--tenant", "acme"], sealed.stdout);
      expect(opened.stdout).to.equal(body);
      const moved = await run("open", ["--route", "GET /v1/patients/8", "--tenant", "acme"], sealed.stdout);
      expect([moved.code, moved.stdout]).to.deep.equal([1, ""]);
    });

    it("takes tenants of the tenant alphabet only", async () => {
      for (const tenant of ["a b", "é", "", "t".repeat(129)]) {
        const args = ["--dataset", "patients", "--tenant", tenant, "--field", "ssn", "--record", "7"];
        expect((await run("seal", args, '"x"')).code).to.equal(2);
        expect((await run("open", args, "swr1.")).code).to.equal(2);
      }
    });

    it("seals nothing that is sealed already, as no route does", async () => {
      const place = [...value, "--field", "ssn", "--record", "7"];
      const { stdout: sealed } = await run("seal", place, '"x"');
      const inputs = [`"${sealed.trim()}"`, `"${sealed.trim().replace("s", "\\u0073")}"`];
      for (const args of [...inputs.map((input) => ({ input, more: [] })), { input: sealed, more: ["--text"] }]) {
        const ran = await run("seal", [...place, ...args.more, "--json"], args.input);
        expect([ran.code, (json(ran)["error"] as { code: string }).code]).to.deep.equal([1, "already_sealed"]);
      }
      expect((await run("seal", place, '"swr1.x"')).code).to.equal(0);
    });

    it("refuses options that would have no say", async () => {
      const route = ["--route", "PUT /v1/patients/7", "--tenant", "acme"];
      for (const unused of [
        ["--dataset", "patients"],
        ["--field", "ssn"],
        ["--record", "7"],
        ["--unbound"],
        ["--text"],
      ])
        expect((await run("seal", [...route, ...unused], '{"ssn":1}')).code).to.equal(2);
      for (const unused of [["--listener", "store"], ["--merge-patch"]])
        expect((await run("seal", [...value, "--field", "ssn", "--record", "7", ...unused], "1")).code).to.equal(2);
      expect((await run("open", [...route, "--text"], "{}")).code).to.equal(2);
    });

    it("tells usage from problems, and no value in either", async () => {
      const seal = (args: readonly string[], stdin: string) => run("seal", [...args, "--json"], stdin);
      const place = [...value, "--field", "ssn", "--record", "7"];
      const cases = [
        await seal(place, canary),
        await seal(place, `"${canary}" 1`),
        await seal(place, `{"a":"${canary}","a":1}`),
        await seal(["--dataset", "none", "--tenant", "acme", "--field", "ssn"], `"${canary}"`),
        await seal([...value, "--field", canary.slice(0, 3), "--record", "7"], `"${canary}"`),
        await seal(["--route", "PUT /v1/patients/7"], `{"ssn":"${canary}"}`),
        await seal(["--route", "PUT v1", "--tenant", "acme"], `{"ssn":"${canary}"}`),
        await seal(["--route", "PUT /v1/other", "--tenant", "acme"], `{"ssn":"${canary}"}`),
      ];
      expect(cases.map(({ code }) => code)).to.deep.equal([1, 1, 1, 2, 2, 2, 2, 1]);
      for (const { stdout, stderr } of cases) expect(stdout + stderr).not.to.include(canary);
    });
  });

  describe("explain", () => {
    it("shows route, record, fields, places and the body after, without asking any key service", async () => {
      writeFileSync(config, readFileSync(config, "utf8").replace("kek.json", "none.json"));
      const route = ["--route", "PUT /v1/patients/7", "--tenant", "acme"];
      const told = json(await run("explain", [...route, "--json", "-"], `{"ssn":"${canary}","x":1}`));
      expect(told).to.include({ ok: true, listener: "store", dataset: "patients", tenant: "acme", does: "seals" });
      expect(told["values"]).to.deep.equal([
        { location: "$['ssn']", field: "ssn", mode: "randomized", optional: true },
      ]);
      expect(told["recordsBound"]).to.deep.equal(["7"]);
      expect(told["body"]).to.match(/^\{"ssn":"swr1\.[^"]+","x":1\}$/);
    });

    it("shows what an answer holds, and the key that its values name", async () => {
      const { stdout: sealed } = await run("seal", ["--route", "PUT /v1/patients/7", "--tenant", "acme"], '{"ssn":1}');
      const { stdout: id } = await run("keys list", ["--ids"]);
      const args = ["--route", "GET /v1/patients/7", "--tenant", "acme", "--answer", "-"];
      const ran = await run("explain", args, sealed);
      expect(ran.stdout).to.include(id.slice(0, 16));
      expect(ran.stdout).to.include("<opened: ssn>");
    });

    it("tells the refusal that the request would meet, and exits 1", async () => {
      const told = async (args: readonly string[], body: string): Promise<unknown> => {
        const ran = await run("explain", [...args, "--json", "-"], body);
        expect(ran.code).to.equal(1);
        expect(ran.stdout + ran.stderr).not.to.include(canary);
        const { refusal, error } = json(ran) as { refusal?: { code: string }; error?: { code: string } };
        return (refusal ?? error)?.code;
      };
      const route = (line: string) => ["--route", line, "--tenant", "acme"];
      expect(await told(route("PUT /v1/patients/7"), `{"ssn":"${canary}","ssn":1}`)).to.equal("duplicate_key");
      expect(await told(route("PUT /v1/patients/7"), `"${canary}"`)).to.equal("document_shape");
      expect(await told(route("POST /v1/reports"), `{"q":{"ssn":"${canary}"}}`)).to.equal("mapped_name");
      expect(await told(route("PUT /v1/nothing"), "{}")).to.equal("no_route");
      expect(await told(route("POST /v1/patients/7"), "{}")).to.equal("method_not_allowed");
    });

    it("tells the route alone when there is no sample", async () => {
      const ran = await run("explain", ["--route", "GET /v1/public/a"]);
      expect(ran.code).to.equal(0);
      expect(ran.stdout).to.match(/does +passes everything/);
    });
  });

  describe("inspect", () => {
    it("reads a header without any key", async () => {
      const { stdout: sealed } = await run("seal", [...value, "--field", "ssn", "--record", "7"], '"x"');
      const told = json(await runInProcess(["inspect", "--json"], sealed));
      expect(told).to.include({
        ok: true,
        version: 1,
        suite: 1,
        recordBound: true,
        form: "keyring",
        plaintextBytes: 3,
      });
      expect((await runInProcess(["inspect", sealed.trim()])).stdout).to.match(/algorithm +XAES-256-GCM, randomized\n/);
    });

    it("says of anything else that it is just text", async () => {
      expect((await runInProcess(["inspect", "swr1.AA"])).code).to.equal(1);
      expect(json(await runInProcess(["inspect", "hello", "--json"]))["ok"]).to.equal(false);
    });
  });
});
