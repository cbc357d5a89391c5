import type { Dataset, DocumentPlan, Route, RouteTable, RouteVerdict } from "../../src/fieldmap/types.ts";

const dataset = (tenant: Dataset["tenant"]): Dataset => ({
  name: "patients",
  formerly: [],
  fields: [],
  tenant,
  names: "exact",
  onOpenFailure: "refuse",
  file: "patients.yaml",
});

const constant = dataset({ kind: "constant", tenant: "t1" });
const byHeader = dataset({ kind: "header", name: "X-Tenant-Id" });

const plan: DocumentPlan = {
  guide: { root: 0, member: () => 0, element: () => 0 },
  facts: () => ({ document: false, arrayEntered: false, field: undefined, record: undefined, expects: undefined }),
  record: { sources: [], whenAbsent: "unbound" },
};

interface Row {
  readonly path: string;
  readonly rule: "seal" | "open" | "both" | "pass" | "through" | "nothing";
  readonly tenant?: "header";
}

const rows: readonly Row[] = [
  { path: "/seal", rule: "seal" },
  { path: "/strict", rule: "seal" },
  { path: "/open", rule: "open" },
  { path: "/both", rule: "both" },
  { path: "/v1", rule: "both" },
  { path: "/pass", rule: "pass" },
  { path: "/through", rule: "through" },
  { path: "/nothing", rule: "nothing" },
  { path: "/tenant", rule: "both", tenant: "header" },
];

const routeOf = ({ path, rule, tenant }: Row): Route => ({
  label: `patients ${path}`,
  dataset: tenant === "header" ? byHeader : constant,
  methods: undefined,
  pattern: path,
  passthrough: rule === "through",
  request:
    rule === "seal" || rule === "both"
      ? { kind: "seal", plan }
      : rule === "pass"
        ? { kind: "pass", guide: plan.guide }
        : { kind: "none" },
  open: rule === "open" || rule === "both" ? plan : undefined,
  namesInQuery: rule === "through" ? undefined : (target) => target.includes("?secret="),
});

const routes = new Map(rows.map((row) => [row.path, routeOf(row)]));
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Routes by the path's first segment, all of them for the common methods; everything else is unmatched. */
export const fakeRoutes: RouteTable = {
  routes: [...routes.values()],
  match(method: string, target: string): RouteVerdict {
    const path = `/${target.slice(1).split(/[/?]/)[0] ?? ""}`;
    if (target.includes("//")) return { kind: "refuse", code: "path_refused", reason: "empty segment", allow: [] };
    const route = routes.get(path);
    if (route === undefined) return { kind: "refuse", code: "no_route", reason: "unmatched", allow: [] };
    if (!methods.includes(method))
      return { kind: "refuse", code: "method_not_allowed", reason: "method", allow: methods };
    return { kind: "route", route, captures: new Map() };
  },
};
