import type { AgentOptions } from "node:https";
import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import { defaultPatience, type AwsKmsConfig } from "../kms-config.ts";
import { readPublicFile } from "../../base/public-file.ts";

/** At most this many connections to the service, kept open between calls. */
const connections = 16;

/**
 * The SDK's client under this project's rules. Credentials come from the SDK's default chain.
 * Throws `config_invalid` (endpoint), `file_unreadable` (ca).
 */
export async function awsClient(config: AwsKmsConfig): Promise<KMSClient> {
  const { region } = config;
  const attemptMs = config.patience?.attemptMs ?? defaultPatience.attemptMs;
  const settings: KMSClientConfig = {
    region,
    // Said in so many words: AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and a profile's have no say. The SDK refuses both
    // beside an endpoint, which is always given here.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    // Retries are the decorators' business: there each attempt is counted, bounded and stopped by the circuit breaker.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: attemptMs,
      requestTimeout: attemptMs,
      throwOnRequestTimeout: true,
      httpsAgent: await agentOptions(config),
      httpAgent: { keepAlive: true, maxSockets: connections },
    },
  };
  return new KMSClient({ ...settings, endpoint: config.endpoint ?? publicEndpoint(config) });
}

async function agentOptions(config: AwsKmsConfig): Promise<AgentOptions> {
  return {
    keepAlive: true,
    maxSockets: connections,
    minVersion: config.minVersion ?? "TLSv1.3",
    // Said in so many words, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
    rejectUnauthorized: true,
    ...(config.ca === undefined ? {} : { ca: await readPublicFile(config.ca) }),
  };
}

/**
 * The region's public endpoint, by the SDK's own rules. Always passed: with no endpoint given the SDK would take one, plain
 * http too, from AWS_ENDPOINT_URL or a profile.
 */
function publicEndpoint({ region, fips = false, dualStack = false }: AwsKmsConfig): string {
  const client = new KMSClient({ region });
  try {
    return client.config.endpointProvider({ Region: region, UseFIPS: fips, UseDualStack: dualStack }).url.href;
  } finally {
    client.destroy();
  }
}
