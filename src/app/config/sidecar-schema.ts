import { z } from "zod";
import { keysSchema } from "./keys-schema.ts";
import { kmsSchema } from "./kms-schema.ts";
import { listenerSchema } from "./listener-schema.ts";
import { filePath, listen, name } from "./scalars.ts";

export const identitySchema = z.strictObject({
  cert: filePath.meta({ description: "Certificate chain, PEM." }),
  key: filePath.meta({ description: "Private key, PEM; readable by its owner only." }),
});

export type IdentityFile = z.output<typeof identitySchema>;

export const trustSchema = z.strictObject({
  ca: filePath.meta({ description: "Certificates of the authorities, PEM." }),
  crl: filePath.optional().meta({ description: "Revocation lists, PEM; needs crlFailure." }),
  crlFailure: z
    .enum(["refuse"])
    .optional()
    .meta({ description: "What a list that is absent or out of date does to a handshake: refuse it." }),
});

export type TrustFile = z.output<typeof trustSchema>;

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  to: z.enum(["stdout", "stderr"]).default("stdout"),
});

export const socketSchema = z.strictObject({ listen });

export const adminSchema = z.strictObject({
  listen: listen.prefault("127.0.0.1:15000"),
  tokenFile: filePath
    .optional()
    .meta({ description: "Holds the token that keys purge shows; without it nobody may purge by this listener." }),
});

/** Top-level members, each with the schema of its value. */
export const sidecarSections = {
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("Sidecar"),
  log: log.prefault({}),
  admin: adminSchema.prefault({}).meta({
    description: "Health with reasons and metrics, on loopback or a Unix socket; default 127.0.0.1:15000.",
  }),
  probes: socketSchema.optional().meta({ description: "Status only, for the kubelet." }),
  metrics: socketSchema.optional().meta({ description: "Metrics for a scraper outside the pod; else on admin." }),
  identities: z.record(name, identitySchema).default({}).meta({ description: "Certificates this process shows." }),
  trust: z.record(name, trustSchema).default({}).meta({ description: "Authorities this process believes." }),
  kms: z
    .record(name, kmsSchema)
    .default({})
    .meta({ description: "Key services. Names are permanent: values carry them." }),
  keys: keysSchema.optional().meta({ description: "Data keys. Needed where a listener has field maps." }),
  fieldMaps: z.array(filePath).default([]).meta({ description: "Field map files." }),
  listeners: z.array(listenerSchema).min(1, "Add a listener."),
};

/** The sidecar file. Rules across settings are in sidecar-rules.ts. */
export const sidecarSchema = z.strictObject(sidecarSections);

/** The file with its scalars parsed and its defaults filled in. */
export type SidecarFile = z.output<typeof sidecarSchema>;
