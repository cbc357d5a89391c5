import { expect } from "chai";
import type { SourceFile } from "./source-tree.ts";
import { readProjectFiles } from "./project-files.ts";

/** What must not stand in the project: it would tie it to one machine. Built from parts so that this file passes itself. */
const folders = ["work", "root", "tmp", "home"].map((name) => `/${name}/`);
const hosts = ["registry.npmjs.org", "registry.yarnpkg.com", "files.pythonhosted.org"].filter((host) => host !== "");

/** Folder names count only as absolute paths: not after another path part, a letter or a URL's host. */
const machinePath = new RegExp(`(?<![\\w.$})/*\\]-])(${folders.join("|")})`);

/** Files whose subject makes one of these words necessary, with the reason. */
const excused: Readonly<Record<string, string>> = {
  "test/house/paths.test.ts": "names what it looks for",
  "test/real/image/image-store.ts": "the cache folder of npm inside the build container",
};

function machineWords(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !(path in excused))
    .flatMap(({ path, text }) =>
      text
        .split("\n")
        .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
        .filter(({ line }) => machinePath.test(line) || hosts.some((host) => line.includes(host)))
        .map(({ place }) => place),
    );
}

describe("paths", () => {
  it("names no folder of one machine and no registry in any file", () => {
    expect(machineWords(readProjectFiles())).to.deep.equal([]);
  });

  it("catches them when they are there", () => {
    const planted = [
      { path: "a.ts", text: 'open("/tmp/x")' },
      { path: "b.md", text: "see /work/main/src" },
      { path: "package-lock.json", text: `"resolved": "https://${hosts[0] ?? ""}/zod"` },
      { path: "c.ts", text: 'path("/var/lib"); join(root, "tmp/x"); "${dir}/tmp/y"; "https://example.org/work/"' },
    ];
    expect(machineWords(planted)).to.deep.equal(["a.ts:1", "b.md:1", "package-lock.json:1"]);
  });
});
