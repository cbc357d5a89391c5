import { SealwrightError } from "../../../base/sealwright-error.ts";

/** How a pod reaches the API of its cluster. */
export interface KubeAccess {
  /** `https://` and where. */
  readonly origin: string;
  /** The cluster's authority, PEM. */
  readonly caFile: string;
  /** The bearer token, which the kubelet renews. */
  readonly tokenFile: string;
}

const mount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What every pod with a service account is given. Throws `config_invalid` elsewhere. */
export function podAccess(env: Readonly<Record<string, string | undefined>> = process.env): KubeAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (host === undefined || !/^[0-9A-Za-z.:-]+$/.test(host) || !/^[0-9]{1,5}$/.test(port))
    throw new SealwrightError("config_invalid", { reason: "a keyring in a ConfigMap is for pods only" });
  const origin = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { origin, caFile: `${mount}/ca.crt`, tokenFile: `${mount}/token` };
}
