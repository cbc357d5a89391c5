import { expect } from "chai";

import { samplesOf, sumOf } from "../../src/app/demo/metrics-page.ts";

const page = `# HELP calls Calls.
# TYPE calls counter
calls{kek="dev",operation="unwrap"} 2
calls{kek="dev",operation="generate"} 3
calls_created{kek="dev"} 9
plain 4
`;

describe("metrics page", () => {
  it("reads the samples of one metric with their labels", () => {
    expect(samplesOf(page, "calls")).to.deep.equal([
      { labels: { kek: "dev", operation: "unwrap" }, value: 2 },
      { labels: { kek: "dev", operation: "generate" }, value: 3 },
    ]);
    expect(samplesOf(page, "plain")).to.deep.equal([{ labels: {}, value: 4 }]);
  });

  it("adds up those that carry the wanted labels", () => {
    expect(sumOf(page, "calls")).to.equal(5);
    expect(sumOf(page, "calls", { operation: "unwrap" })).to.equal(2);
    expect(sumOf(page, "absent")).to.equal(0);
  });
});
