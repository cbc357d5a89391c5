import { createRequire } from "node:module";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { crc32 } from "node:zlib";

import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";

import type { Sidecar } from "../rig/sidecar.ts";
import { SidecarStage } from "./stage/sidecar-stage.ts";

type Dynalite = (options: Readonly<Record<string, unknown>>) => Server;

/** Everything passes as it is: DynamoDB has one path, and its own media type. */
const passthroughMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: t1 }
record: none
fields:
  - { name: ssn, path: $.ssn }
routes:
  - { match: { methods: [POST], path: / }, passthrough: true }
`;

const item = (id: string, note: string): Record<string, AttributeValue> => ({
  id: { S: id },
  at: { N: "1" },
  note: { S: note },
  raw: { B: Buffer.from([0, 1, 254, 255]) },
  tags: { SS: ["a", "ö"] },
  weight: { N: "61.2500" },
});

describe("DynamoDB through a passthrough map: the AWS SDK, unmodified, against dynalite by mutual TLS", () => {
  const cleanup = new AsyncDisposableStack();
  let stage: SidecarStage;
  let sidecar: Sidecar;
  let client: DynamoDBClient;
  const peers: string[] = [];

  before(async () => {
    stage = cleanup.use(await SidecarStage.create());
    const pem = (name: string): string => readFileSync(stage.path(name), "utf8");
    const start = createRequire(import.meta.url)("dynalite") as Dynalite;
    const store = start({
      ...{ ssl: true, key: pem("store.key"), cert: pem("store.crt"), ca: pem("ca.crt"), createTableMs: 0 },
      ...{ deleteTableMs: 0, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" },
    });
    store.on("secureConnection", (socket: TLSSocket) => {
      peers.push(`${socket.getProtocol() ?? ""} ${[socket.getPeerCertificate().subject.CN].join(" ")}`);
    });
    await once(store.listen(0, "127.0.0.1"), "listening");
    cleanup.defer(() => {
      store.closeAllConnections();
      store.close();
    });
    const upstreamPort = (store.address() as AddressInfo).port;
    sidecar = await stage.start({ map: passthroughMap, upstreamPort });
    client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${stage.port}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    cleanup.defer(() => client.destroy());
    await client.send(
      new CreateTableCommand({
        TableName: "patients",
        KeySchema: [
          { AttributeName: "id", KeyType: "HASH" },
          { AttributeName: "at", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "id", AttributeType: "S" },
          { AttributeName: "at", AttributeType: "N" },
        ],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
  });

  after(() => cleanup.disposeAsync());

  const put = (id: string, note: string): Promise<unknown> =>
    client.send(new PutItemCommand({ TableName: "patients", Item: item(id, note) }));
  const get = async (id: string): Promise<unknown> =>
    (await client.send(new GetItemCommand({ TableName: "patients", Key: { id: { S: id }, at: { N: "1" } } }))).Item;

  it("puts, gets, changes and deletes items whole, numbers and bytes included", async () => {
    await put("p-1", "Größe 1,64 m");
    const read = (await get("p-1")) as Record<string, AttributeValue>;
    expect(read["note"]).to.deep.equal({ S: "Größe 1,64 m" });
    expect(Buffer.from(read["raw"]?.B ?? [])).to.deep.equal(Buffer.from([0, 1, 254, 255]));
    expect(Number(read["weight"]?.N)).to.equal(61.25);
    const key = { id: { S: "p-1" }, at: { N: "1" } };
    await client.send(
      new UpdateItemCommand({
        ...{ TableName: "patients", Key: key, UpdateExpression: "SET note = :n" },
        ExpressionAttributeValues: { ":n": { S: "changed" } },
      }),
    );
    expect(await get("p-1")).to.deep.include({ note: { S: "changed" } });
    await client.send(new DeleteItemCommand({ TableName: "patients", Key: key }));
    expect(await get("p-1")).to.equal(undefined);
  });

  it("writes in batches, queries and scans answers of many kilobytes", async () => {
    const ids = Array.from({ length: 25 }, (_, index) => `batch-${index}`);
    const requests = ids.map((id) => ({ PutRequest: { Item: item(id, id.repeat(1000)) } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { patients: requests } }));
    const scanned = await client.send(new ScanCommand({ TableName: "patients" }));
    expect(scanned.Items?.map(({ id }) => id?.S).sort()).to.deep.equal(ids.toSorted());
    const queried = await client.send(
      new QueryCommand({
        ...{ TableName: "patients", KeyConditionExpression: "id = :id" },
        ExpressionAttributeValues: { ":id": { S: "batch-7" } },
      }),
    );
    expect(queried.Items?.[0]?.["note"]).to.deep.equal({ S: "batch-7".repeat(1000) });
  });

  it("leaves every byte of an answer, by the CRC-32 that the store sends along", async () => {
    const authorization =
      "AWS4-HMAC-SHA256 Credential=a/20260101/x/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    const answer = await fetch(`http://127.0.0.1:${stage.port}/`, {
      method: "POST",
      headers: {
        ...{ authorization, "x-amz-date": "20260101T000000Z", "x-amz-target": "DynamoDB_20120810.Scan" },
        "content-type": "application/x-amz-json-1.0",
      },
      body: JSON.stringify({ TableName: "patients" }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    expect(body.length).to.be.greaterThan(100_000);
    expect(answer.headers.get("x-amz-crc32")).to.equal(String(crc32(body)));
  });

  it("passes the store's own errors on, typed as the SDK knows them", async () => {
    await put("p-2", "first");
    const condition = { ConditionExpression: "attribute_not_exists(id)" };
    const again = client.send(new PutItemCommand({ TableName: "patients", Item: item("p-2", "second"), ...condition }));
    const failure: unknown = await again.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ConditionalCheckFailedException);
  });

  it("goes out by TLS 1.3 with the sidecar's certificate, and seals nothing", async () => {
    await client.send(new ListTablesCommand({}));
    expect(new Set(peers)).to.deep.equal(new Set(["TLSv1.3 sidecar"]));
    expect(await sidecar.metric("sealwright_values_sealed_total")).to.equal(0);
    await client.send(new DeleteTableCommand({ TableName: "patients" }));
  });
});
