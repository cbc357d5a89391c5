import type { z } from "zod";
import { keysSchema, type KeysFile } from "./keys-schema.ts";
import { kmsSchema, type KmsFile } from "./kms-schema.ts";
import { listenerSchema, type ListenerFile } from "./listener-schema.ts";
import {
  adminSchema,
  identitySchema,
  socketSchema,
  trustSchema,
  type IdentityFile,
  type TrustFile,
} from "./sidecar-schema.ts";
import type { ListenAddress } from "../../base/listen-address.ts";

/** One part of the file that could be read, with its name or index. */
export interface Named<T> {
  readonly name: string;
  readonly value: T;
}

export interface Numbered<T> {
  readonly index: number;
  readonly value: T;
}

/**
 * What could be read of a sidecar file, however broken the rest is, so that the rules across settings speak in the same run as
 * the refusals of single settings. Names are those that stand in the file, readable or not.
 */
export interface ReadableSidecar {
  readonly sockets: readonly Named<ListenAddress>[];
  readonly adminTokenFile: string | undefined;
  readonly identities: readonly Named<IdentityFile>[];
  readonly trust: readonly Named<TrustFile>[];
  readonly kms: readonly Named<KmsFile>[];
  readonly names: Readonly<Record<"identities" | "trust" | "kms", readonly string[]>>;
  readonly keys: KeysFile | undefined;
  readonly hasKeys: boolean;
  readonly fieldMaps: readonly Numbered<string>[];
  readonly listeners: readonly Numbered<ListenerFile>[];
}

type Members = Readonly<Record<string, unknown>>;

const membersOf = (value: unknown): Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};

const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

function readNamed<S extends z.ZodType>(schema: S, members: Members): readonly Named<z.output<S>>[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const result = schema.safeParse(member);
    return result.success ? [{ name, value: result.data }] : [];
  });
}

/** `root` = the value of the whole file as YAML gave it. */
export function readSidecarParts(root: unknown): ReadableSidecar {
  const file = membersOf(root);
  const keys = keysSchema.safeParse(file["keys"]);
  const sockets = Object.fromEntries(
    ["probes", "metrics"].filter((name) => name in file).map((name) => [name, file[name]]),
  );
  const admin = readNamed(adminSchema, "admin" in file ? { admin: file["admin"] } : {});
  return {
    sockets: [...admin, ...readNamed(socketSchema, sockets)].map(({ name, value }) => ({ name, value: value.listen })),
    adminTokenFile: admin[0]?.value.tokenFile,
    identities: readNamed(identitySchema, membersOf(file["identities"])),
    trust: readNamed(trustSchema, membersOf(file["trust"])),
    kms: readNamed(kmsSchema, membersOf(file["kms"])),
    names: {
      identities: Object.keys(membersOf(file["identities"])),
      trust: Object.keys(membersOf(file["trust"])),
      kms: Object.keys(membersOf(file["kms"])),
    },
    keys: keys.success ? keys.data : undefined,
    hasKeys: "keys" in file,
    fieldMaps: elementsOf(file["fieldMaps"]).flatMap((value, index) =>
      typeof value === "string" && value !== "" ? [{ index, value }] : [],
    ),
    listeners: elementsOf(file["listeners"]).flatMap((element, index) => {
      const result = listenerSchema.safeParse(element);
      return result.success ? [{ index, value: result.data }] : [];
    }),
  };
}
