import { isLoopback } from "../../base/listen-address.ts";
import { isAllowedEndpoint } from "../../kms/endpoint.ts";
import { parseAwsKeyId } from "../../kms/aws/aws-key-id.ts";
import type { Breach } from "./breach.ts";
import type { KmsFile } from "./kms-schema.ts";
import type { Named, ReadableSidecar } from "./readable-sidecar.ts";

const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, "$1");

function endpointBreaches(name: string, endpoint: string | undefined, setting = "endpoint"): readonly Breach[] {
  if (endpoint === undefined || isAllowedEndpoint(endpoint)) return [];
  const url = URL.parse(endpoint);
  const clear = url?.protocol === "http:" && !isLoopback(hostOf(url));
  return [{ rule: clear ? "kms-endpoint-clear" : "kms-endpoint-form", path: ["kms", name, setting] }];
}

function choiceBreaches(name: string, value: Extract<KmsFile, { provider: "aws" }>): readonly Breach[] {
  if (value.endpoint === undefined) return [];
  const chosen = (["fips", "dualStack"] as const).filter((setting) => value[setting]);
  return chosen.map((setting) => ({ rule: "kms-endpoint-choice", path: ["kms", name, setting] }));
}

function addressBreaches(name: string, { address, auth }: Extract<KmsFile, { provider: "vault" }>): readonly Breach[] {
  const path = ["kms", name, "address"];
  // Without TLS there is nothing to show a certificate in.
  if (auth.method === "cert" && isAllowedEndpoint(address) && !address.startsWith("https:"))
    return [{ rule: "kms-endpoint-form", path }];
  return endpointBreaches(name, address, "address");
}

function serviceBreaches({ name, value }: Named<KmsFile>): readonly Breach[] {
  switch (value.provider) {
    case "local":
    case "pkcs11":
    case "recovery":
      return [];
    case "vault":
      return addressBreaches(name, value);
    case "gcp":
      return endpointBreaches(name, value.endpoint);
    case "aws":
      return [
        ...endpointBreaches(name, value.endpoint),
        ...choiceBreaches(name, value),
        ...(parseAwsKeyId(value.keyId, value.region) === undefined
          ? [{ rule: "kms-key-id" as const, path: ["kms", name, "keyId"] }]
          : []),
      ];
  }
}

/** Key services as their providers would refuse to open them. */
export function kmsBreaches(file: ReadableSidecar): readonly Breach[] {
  return file.kms.flatMap(serviceBreaches);
}
