import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { HttpReader, type HttpMessage } from "./http-reader.ts";

/** What came back on one connection. */
export interface RawOutcome {
  /** Final answers; interim ones are left out. */
  readonly answers: readonly HttpMessage[];
  /** Bytes of an answer that never ended. */
  readonly unfinished: Buffer;
  /** `open` = the peer kept it. */
  readonly closed: "open" | "clean" | "reset";
  readonly malformed: string | undefined;
  /** From the first byte sent to the last answer's end. */
  readonly durationMs: number;
}

export interface RawExchange {
  readonly port: number;
  /** Written as they are, one write each, a loop turn apart. */
  readonly bytes: readonly (Buffer | string)[];
  /** Methods of the requests in `bytes`: as many answers are awaited. */
  readonly methods: readonly string[];
  /** Ends the client's half (or resets it) after the bytes. */
  readonly after?: "end" | "reset";
  /** Also waits for the peer to close. */
  readonly untilClose?: boolean;
  readonly timeoutMs?: number;
}

/** Sends exact bytes on a socket of its own and reads what comes until the answers are whole or the peer closes. */
export async function exchange(order: RawExchange): Promise<RawOutcome> {
  const socket = connect({ port: order.port, host: "127.0.0.1", noDelay: true });
  const reader = new HttpReader({ kind: "answers", methods: [...order.methods] });
  let closed: RawOutcome["closed"] = "open";
  const finals = (): HttpMessage[] => reader.messages.filter((message) => !/^HTTP\/1\.1 1\d\d /u.test(message.start));
  const done = new Promise<void>((settle) => {
    const timer = setTimeout(settle, order.timeoutMs ?? 10_000);
    const settleWhen = (condition: boolean): void => {
      if (!condition) return;
      clearTimeout(timer);
      settle();
    };
    socket.on("data", (chunk: Buffer) => {
      reader.write(chunk);
      settleWhen(order.untilClose !== true && order.after === undefined && finals().length >= order.methods.length);
    });
    socket.on("end", () => {
      closed = "clean";
      reader.end();
      settleWhen(true);
    });
    socket.on("error", () => (closed = "reset"));
    socket.on("close", () => settleWhen(true));
  });
  const started = performance.now();
  await send(socket, order);
  await done;
  const durationMs = performance.now() - started;
  socket.destroy();
  return { answers: finals(), unfinished: reader.unfinished, closed, malformed: reader.malformed, durationMs };
}

async function send(socket: Socket, order: RawExchange): Promise<void> {
  await once(socket, "connect").catch(() => undefined);
  for (const bytes of order.bytes) {
    if (socket.destroyed) return;
    if (!socket.write(bytes)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
    await new Promise((settle) => setImmediate(settle));
  }
  if (order.after === "end") socket.end();
  if (order.after === "reset") socket.resetAndDestroy();
}

export interface PlainRequest {
  readonly method: string;
  readonly target: string;
  /** In order; names may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer | string;
}

/** A request's bytes with host and exact content-length; a header of the request wins over those. */
export function requestBytes(request: PlainRequest): Buffer {
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const given = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...(given.has("host") ? [] : ["host: store.test"]),
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined || given.has("content-length") || given.has("transfer-encoding")
      ? []
      : [`content-length: ${body.length}`]),
    "",
    "",
  ];
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body ?? Buffer.alloc(0)]);
}
