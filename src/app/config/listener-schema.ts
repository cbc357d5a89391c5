import { z } from "zod";
import { parsePeerRule } from "../../proxy/peer-names.ts";
import { parsePin } from "../../proxy/pins.ts";
import { defaultMaxConnections, defaultMaxRequests } from "../../proxy/listener-options.ts";
import { limitTable, type LimitName } from "../../base/limits.ts";
import { count, duration, filePath, listen, name, parsedText, size } from "./scalars.ts";
import { parseUpstreamUrl } from "./upstream-url.ts";

const allow = z
  .array(parsedText("peer-form", parsePeerRule))
  .min(1, "Name at least one peer, or leave the setting out.");

const clients = z.strictObject({
  trust: name.meta({ description: "Whose certificates clients must show." }),
  allow: allow.optional().meta({ description: "Names of which a client's certificate must hold one." }),
  trusted: z
    .boolean()
    .default(false)
    .meta({ description: "These clients may name the tenant in a header; needs allow." }),
});

const tls = z.strictObject({
  identity: name.meta({ description: "The certificate this listener shows." }),
  clients: clients.optional().meta({ description: "Clients must show a certificate." }),
});

const upstream = z.strictObject({
  url: parsedText("upstream-form", parseUpstreamUrl),
  identity: name.optional().meta({ description: "The certificate shown to the upstream." }),
  trust: name.optional().meta({ description: "Whose certificates the upstream must show; required with https." }),
  allow: allow
    .optional()
    .meta({ description: "Names of which the upstream's certificate must hold one; default its host." }),
  pins: z
    .array(parsedText("pin-form", parsePin))
    .default([])
    .meta({ description: "Public keys of which the upstream must show one; one of them should be a spare." }),
  pinFile: filePath
    .optional()
    .meta({ description: "A file with more pins, one a line, as sealwright trust pin writes it." }),
});

const limitShape = Object.fromEntries(
  Object.entries(limitTable).map(([limit, { unit, help }]) => [
    limit,
    (unit === "bytes" ? size : count).optional().meta({ description: help }),
  ]),
) as Record<LimitName, z.ZodOptional<typeof size | typeof count>>;

const timeouts = z.strictObject({
  header: duration
    .optional()
    .meta({ description: "From a connection's or request's first byte to the end of its head; default 10s." }),
  body: duration.optional().meta({ description: "Between two parts of a body; default 30s." }),
  upstream: duration.optional().meta({ description: "Until the upstream answers; default 30s." }),
  total: z
    .union([duration, z.literal("off")])
    .optional()
    .meta({ description: "One whole exchange; default 120s; off for long streams." }),
  idle: duration.optional().meta({ description: "A connection between requests; default 60s." }),
  drain: duration.optional().meta({ description: "For requests under way when the sidecar stops; default 25s." }),
});

const headers = z.strictObject({
  hsts: z
    .union([
      z.literal("off"),
      z
        .string()
        .regex(
          /^max-age=[0-9]{1,10}(; includeSubDomains)?(; preload)?$/,
          "Write off, or max-age=SECONDS with ; includeSubDomains and ; preload behind it.",
        ),
    ])
    .optional()
    .meta({ description: "Strict-Transport-Security; default max-age=63072000; includeSubDomains; preload." }),
  referrerPolicy: z
    .enum(["off", "no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"])
    .optional()
    .meta({ description: "Where the app gives none; default no-referrer." }),
  cors: z
    .enum(["closed", "app"])
    .optional()
    .meta({ description: "closed (default): no page of another origin may read answers. app: the app decides." }),
});

/** One element of `listeners`. */
export const listenerSchema = z.strictObject({
  name,
  direction: z.enum(["inbound", "outbound"]).meta({ description: "inbound: to the app. outbound: from the app." }),
  listen,
  tls: tls.optional().meta({ description: "TLS 1.3. An inbound listener needs it." }),
  headers: headers.optional().meta({ description: "What an inbound listener tells browsers." }),
  upstream,
  fieldMaps: z
    .array(z.string())
    .min(1, "Name at least one dataset, or leave the setting out.")
    .optional()
    .meta({ description: "Datasets whose field maps rule this listener. Without them everything passes as it is." }),
  unmatched: z.enum(["deny"]).optional().meta({
    description:
      "What happens to requests that no route matches. A route of path /** with passthrough: true lets them pass.",
  }),
  requests: count.default(defaultMaxRequests).meta({ description: "Most requests at once; more are refused." }),
  connections: count.default(defaultMaxConnections).meta({ description: "Most connections at once." }),
  limits: z.strictObject(limitShape).optional().meta({ description: "Bounds on bodies." }),
  timeouts: timeouts.optional(),
});

/** A listener as the file has it, scalars parsed. */
export type ListenerFile = z.output<typeof listenerSchema>;
