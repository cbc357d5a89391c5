import type { Dataset, Route, RouteTable, RouteVerdict } from "../fieldmap/types.ts";

const nothing: Dataset = Object.freeze({
  name: "none",
  formerly: [],
  fields: [],
  tenant: { kind: "constant", tenant: "none" },
  names: "exact",
  onOpenFailure: "refuse",
  file: "",
} as const satisfies Dataset);

const everything: Route = Object.freeze({
  label: "no field map",
  dataset: nothing,
  methods: undefined,
  pattern: "/**",
  passthrough: true,
  request: { kind: "none" },
  open: undefined,
  namesInQuery: undefined,
} as const satisfies Route);

const verdict: RouteVerdict = Object.freeze({ kind: "route", route: everything, captures: new Map<string, string>() });

/** The routes of a listener that has no field map: TLS and HTTP rules only, bodies as they are. */
export const passEverything: RouteTable = Object.freeze({ match: () => verdict, routes: [everything] });
