import { expect } from "chai";
import { defaultFrontHeaders, withFrontHeaders } from "../../src/proxy/front-headers.ts";
import { headerOf } from "../rig/http-reader.ts";
import { answerBytes } from "./plain-upstream.ts";
import { ProxyRig, statusOf } from "./proxy-rig.ts";

const pairs = (headers: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), headers[i + 1] ?? ""]] : [])));

describe("front headers", () => {
  it("replace the app's HSTS, keep its referrer policy, hide its software, close it to other origins", () => {
    const app = [
      ...["Server", "Legacy/1.2", "X-Powered-By", "PHP/5", "Strict-Transport-Security", "max-age=0"],
      ...["Referrer-Policy", "same-origin", "Access-Control-Allow-Origin", "*", "X-Content-Type-Options", "odd"],
      ...["Content-Type", "text/html"],
    ];
    expect(pairs(withFrontHeaders(app, defaultFrontHeaders))).to.deep.equal({
      "content-type": "text/html",
      "referrer-policy": "same-origin",
      "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
      "x-content-type-options": "nosniff",
    });
  });

  it("leave to the app what is set so", () => {
    const app = ["Strict-Transport-Security", "max-age=60", "Access-Control-Allow-Origin", "*"];
    const front = { hsts: undefined, referrerPolicy: undefined, cors: "app" } as const;
    expect(pairs(withFrontHeaders(app, front))).to.deep.equal({
      "strict-transport-security": "max-age=60",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
    });
  });

  it("stand on every answer of an inbound listener, refusals too, and on none of an outbound one", async () => {
    for (const front of [defaultFrontHeaders, undefined]) {
      const rig = await ProxyRig.start({ front });
      try {
        rig.upstream.answer = (_request, { socket }) =>
          socket.write(answerBytes("{}", ["content-type: application/json", "server: legacy"]));
        for (const target of ["/through", "/nowhere"]) {
          const answer = await rig.ask({ method: "GET", target, headers: [] });
          expect(statusOf(answer)).to.equal(target === "/through" ? 200 : 404);
          expect(headerOf(answer, "strict-transport-security")).to.equal(front?.hsts);
          expect(headerOf(answer, "x-content-type-options")).to.equal(front && "nosniff");
          if (target === "/through")
            expect(headerOf(answer, "server")).to.equal(front === undefined ? "legacy" : undefined);
        }
      } finally {
        await rig.stop();
      }
    }
  });
});
