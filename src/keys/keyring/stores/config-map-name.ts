/** A ConfigMap as configurations name it: `configmap:NAMESPACE/NAME`. */
export interface ConfigMapName {
  readonly namespace: string;
  readonly name: string;
}

const scheme = "configmap:";
// A DNS label and a DNS subdomain, which is what Kubernetes lets them be called.
const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const form = new RegExp(`^${scheme}(${label})/(${label}(?:\\.${label})*)$`);

/** False for what is a path. */
export function namesConfigMap(location: string): boolean {
  return location.startsWith(scheme);
}

/** `undefined` for what names none, or none that can be. */
export function configMapName(location: string): ConfigMapName | undefined {
  const [, namespace, name] = form.exec(location) ?? [];
  return namespace === undefined || name === undefined || name.length > 253 ? undefined : { namespace, name };
}
