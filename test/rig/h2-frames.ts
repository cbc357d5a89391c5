import { once } from "node:events";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/** Frame types and flags of RFC 9113 section 6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const frameFlags = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Names and values of a header block, in order. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** Header lines as HPACK literals that are never indexed (RFC 7541 section 6.2.3), not Huffman coded. */
export function headerBlock(pairs: HeaderPairs): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0x10]), hpackString(name), hpackString(value)]));
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackLength(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits (RFC 7541 section 5.1). */
function hpackLength(length: number): Buffer {
  if (length < 0x7f) return Buffer.from([length]);
  const bytes = [0x7f];
  let rest = length - 0x7f;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export function frameBytes({ type, flags, stream, payload }: Frame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A client that writes HTTP/2 frames by hand, good ones and bad ones, and keeps what comes back. */
export class H2Frames {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  closed = false;
  #pending: Buffer = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
  }

  /** Connected, preface and empty SETTINGS sent. */
  static async open(options: ConnectionOptions): Promise<H2Frames> {
    const socket = connect({ ALPNProtocols: ["h2"], ...options });
    const client = new H2Frames(socket);
    await once(socket, "secureConnect");
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send({ type: frameTypes.settings, flags: 0, stream: 0, payload: Buffer.alloc(0) });
    return client;
  }

  send(frame: Frame): void {
    if (!this.closed) this.socket.write(frameBytes(frame));
  }

  headers(stream: number, pairs: HeaderPairs, end: boolean): void {
    const flags = frameFlags.endHeaders | (end ? frameFlags.endStream : 0);
    this.send({ type: frameTypes.headers, flags, stream, payload: headerBlock(pairs) });
  }

  data(stream: number, body: string, end: boolean): void {
    const flags = end ? frameFlags.endStream : 0;
    this.send({ type: frameTypes.data, flags, stream, payload: Buffer.from(body) });
  }

  reset(stream: number, code = 8): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    this.send({ type: frameTypes.rstStream, flags: 0, stream, payload });
  }

  of(stream: number, type: number): readonly Frame[] {
    return this.frames.filter((frame) => frame.stream === stream && frame.type === type);
  }

  /** Waits until the stream has ended or was reset, or the connection is gone; at most two seconds. */
  async ended(stream: number): Promise<"answered" | "reset" | "closed" | "nothing"> {
    for (let turn = 0; turn < 400; turn += 1) {
      const frames = this.frames.filter((frame) => frame.stream === stream);
      if (frames.some(({ type }) => type === frameTypes.rstStream)) return "reset";
      const isEnd = ({ type, flags }: Frame): boolean =>
        (type === frameTypes.data || type === frameTypes.headers) && (flags & frameFlags.endStream) !== 0;
      if (frames.some(isEnd)) return "answered";
      if (this.closed) return "closed";
      await new Promise((settle) => setTimeout(settle, 5));
    }
    return "nothing";
  }

  body(stream: number): string {
    return Buffer.concat(this.of(stream, frameTypes.data).map(({ payload }) => payload)).toString();
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 9) {
      const length = this.#pending.readUIntBE(0, 3);
      if (this.#pending.length < 9 + length) return;
      const frame = {
        type: this.#pending.readUInt8(3),
        flags: this.#pending.readUInt8(4),
        stream: this.#pending.readUInt32BE(5) & 0x7fffffff,
        payload: this.#pending.subarray(9, 9 + length),
      };
      this.#pending = this.#pending.subarray(9 + length);
      this.frames.push(frame);
      const isSettings = frame.type === frameTypes.settings && (frame.flags & frameFlags.ack) === 0;
      if (isSettings)
        this.send({ type: frameTypes.settings, flags: frameFlags.ack, stream: 0, payload: Buffer.alloc(0) });
    }
  }
}
