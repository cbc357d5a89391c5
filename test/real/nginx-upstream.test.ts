import { mkdir, readFile } from "node:fs/promises";

import { expect } from "chai";

import { freePorts } from "../../src/app/demo/free-ports.ts";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { filesBelow, search } from "../rig/canary.ts";
import { patientBody, patientMap, patientSecrets } from "./stage/patient-map.ts";
import { ServerProcess } from "./stage/server-process.ts";
import { SidecarStage, type SidecarOrder } from "./stage/sidecar-stage.ts";

/** nginx as a store: WebDAV writes to disk, behind TLS with a required client certificate. */
const nginxFile = (folder: string, port: number, protocol: string): string => `
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log info; worker_processes 1; user root;
events { worker_connections 64; }
http {
  log_format tls '$ssl_protocol $ssl_cipher $ssl_curve $ssl_client_verify "$ssl_client_s_dn" $request_method $uri $status';
  access_log ${folder}/nginx-access.log tls;
  default_type application/json;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_protocols ${protocol};
    ssl_certificate ${folder}/store.crt; ssl_certificate_key ${folder}/store.key;
    ssl_client_certificate ${folder}/ca.crt; ssl_verify_client on;
    root ${folder}/data; dav_methods PUT DELETE; create_full_put_path on;
  }
}
`;

describe("nginx as the upstream, client certificates required", () => {
  let cleanup: AsyncDisposableStack;
  let stage: SidecarStage;
  let storePort = 0;
  let url = "";

  beforeEach(async () => {
    cleanup = new AsyncDisposableStack();
    stage = cleanup.use(await SidecarStage.create());
    await mkdir(stage.path("data"));
    [storePort = 0] = await freePorts(1);
    url = `http://127.0.0.1:${stage.port}/patients/1`;
  });

  afterEach(() => cleanup.disposeAsync());

  async function startBoth(order: Partial<SidecarOrder> & { readonly protocol?: string } = {}): Promise<void> {
    await stage.write("nginx.conf", nginxFile(stage.folder, storePort, order.protocol ?? "TLSv1.3"));
    const args = ["-p", stage.folder, "-e", stage.path("nginx-error.log"), "-c", stage.path("nginx.conf")];
    cleanup.use(await ServerProcess.start({ program: "nginx", args, port: storePort }));
    await stage.start({ map: patientMap, upstreamPort: storePort, ...order });
  }

  const put = (): Promise<Response> =>
    fetch(url, { method: "PUT", body: patientBody, headers: { "content-type": "application/json" } });

  const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { code?: unknown }).code;

  it("stores sealed values on disk and gives back the app's bytes", async () => {
    await startBoth();
    expect((await put()).status).to.equal(201);
    expect(await (await fetch(url)).text()).to.equal(patientBody);
    const stored = await readFile(stage.path("data/patients/1"), "utf8");
    expect(stored.match(/"swr1\.[\w-]+"/g)).to.have.length(2);
    expect(stored.replaceAll(/"swr1\.[\w-]+"/g, "_")).to.equal(
      `{ "ward": "west", "weight": 61.250, "ssn": _,\t"notes": _ }`,
    );
    expect(search(filesBelow(stage.folder), patientSecrets)).to.deep.equal([]);
  });

  it("sees TLS 1.3 with an ephemeral group and the sidecar's verified certificate", async () => {
    await startBoth();
    await put();
    const log = await readFile(stage.path("nginx-access.log"), "utf8");
    expect(log).to.match(
      /^TLSv1\.3 TLS_AES_256_GCM_SHA384 (X25519|prime256v1) SUCCESS "CN=sidecar" PUT \/patients\/1 201$/m,
    );
  });

  it("passes DELETE and a 404 on as they are", async () => {
    await startBoth();
    await put();
    expect((await fetch(url, { method: "DELETE" })).status).to.equal(204);
    expect((await fetch(url)).status).to.equal(404);
  });

  it("is refused when it speaks TLS 1.2 only, and never sees a request", async () => {
    await startBoth({ protocol: "TLSv1.2" });
    const response = await put();
    expect(response.status).to.equal(502);
    expect(await codeOf(response)).to.equal("upstream_unreachable");
    expect(await readFile(stage.path("nginx-access.log"), "utf8")).to.equal("");
  });

  it("is refused when another authority signed its certificate", async () => {
    await stage.issue("store", "server", await createTestPki("another authority"));
    await startBoth();
    const response = await put();
    expect(response.status).to.equal(502);
    expect(await codeOf(response)).to.equal("upstream_identity");
  });

  it("is refused when its certificate does not hold a name of the allow-list", async () => {
    await startBoth({ upstream: `identity: default, trust: mesh, allow: ["dns:couch.db"]` });
    const response = await put();
    expect(response.status).to.equal(502);
    expect(await codeOf(response)).to.equal("upstream_identity");
  });

  it("answers 400 itself when the sidecar shows no certificate: nothing is stored", async () => {
    await startBoth({ upstream: `trust: mesh, allow: ["dns:localhost"]` });
    expect((await put()).status).to.equal(400);
    expect(filesBelow(stage.path("data"))).to.deep.equal([]);
  });
});
