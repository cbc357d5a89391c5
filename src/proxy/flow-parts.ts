import type { Limits } from "../base/limits.ts";
import type { Engine } from "../engine/engine.ts";
import type { RouteTable } from "../fieldmap/types.ts";
import type { Admission } from "./admission.ts";
import type { FrontHeaders } from "./front-headers.ts";
import type { Upstream } from "./http-port.ts";
import type { ListenerPorts, Timeouts } from "./listener-options.ts";
import type { CheckedHead } from "./request-head.ts";
import type { Direction } from "./request-headers.ts";
import type { MatchedRoute } from "./request-match.ts";
import type { Treatment } from "./route-treatment.ts";

/** What every request of a listener stands on. */
export interface FlowParts {
  readonly listener: string;
  readonly direction: Direction;
  /** What every answer says beside the app's own headers; absent on outbound listeners. */
  readonly front: FrontHeaders | undefined;
  readonly routes: RouteTable;
  readonly engine: Engine;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly upstream: Upstream;
  readonly admission: Admission;
  readonly ports: ListenerPorts;
}

/** What is known of a request once its head has been read: enough to forward it. */
export interface RequestPlan {
  readonly head: CheckedHead;
  readonly matched: MatchedRoute;
  readonly treatment: Treatment;
  readonly tenant: string;
}
