/**
 * What a failed call of the module means:
 *
 * - `not mine`: said so plainly of what was to be unwrapped.
 * - `denied`: the PIN, the key or the mechanism is refused; the same call fails for ever.
 * - `lost`: the session, the login or the device is gone; all is opened anew.
 * - `busy`: no room or no time now.
 * - `unclear`: modules say so of bytes that do not verify and of broken devices alike; codes newer than the binding are here too.
 */
export type Pkcs11Verdict = "not mine" | "denied" | "lost" | "busy" | "unclear";

const verdicts: ReadonlyMap<string, Pkcs11Verdict> = new Map(
  Object.entries({
    "not mine": [
      "CKR_ENCRYPTED_DATA_INVALID",
      "CKR_ENCRYPTED_DATA_LEN_RANGE",
      "CKR_SIGNATURE_INVALID",
      "CKR_WRAPPED_KEY_INVALID",
      "CKR_WRAPPED_KEY_LEN_RANGE",
    ],
    denied: [
      "CKR_ACTION_PROHIBITED",
      "CKR_ATTRIBUTE_SENSITIVE",
      "CKR_ATTRIBUTE_TYPE_INVALID",
      "CKR_ATTRIBUTE_VALUE_INVALID",
      "CKR_FUNCTION_NOT_SUPPORTED",
      "CKR_KEY_FUNCTION_NOT_PERMITTED",
      "CKR_KEY_NOT_WRAPPABLE",
      "CKR_KEY_SIZE_RANGE",
      "CKR_KEY_TYPE_INCONSISTENT",
      "CKR_KEY_UNEXTRACTABLE",
      "CKR_MECHANISM_INVALID",
      "CKR_MECHANISM_PARAM_INVALID",
      "CKR_PIN_EXPIRED",
      "CKR_PIN_INCORRECT",
      "CKR_PIN_INVALID",
      "CKR_PIN_LEN_RANGE",
      "CKR_PIN_LOCKED",
      "CKR_RANDOM_NO_RNG",
      "CKR_TEMPLATE_INCONSISTENT",
      "CKR_UNWRAPPING_KEY_SIZE_RANGE",
      "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT",
      "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
      "CKR_USER_PIN_NOT_INITIALIZED",
      "CKR_USER_TOO_MANY_TYPES",
      "CKR_USER_TYPE_INVALID",
      "CKR_WRAPPING_KEY_SIZE_RANGE",
      "CKR_WRAPPING_KEY_TYPE_INCONSISTENT",
    ],
    lost: [
      "CKR_CRYPTOKI_NOT_INITIALIZED",
      "CKR_DEVICE_ERROR",
      "CKR_DEVICE_REMOVED",
      "CKR_KEY_HANDLE_INVALID",
      "CKR_OBJECT_HANDLE_INVALID",
      "CKR_SESSION_CLOSED",
      "CKR_SESSION_HANDLE_INVALID",
      "CKR_SLOT_ID_INVALID",
      "CKR_TOKEN_NOT_PRESENT",
      "CKR_TOKEN_NOT_RECOGNIZED",
      "CKR_UNWRAPPING_KEY_HANDLE_INVALID",
      "CKR_USER_NOT_LOGGED_IN",
      "CKR_WRAPPING_KEY_HANDLE_INVALID",
    ],
    busy: [
      "CKR_CANT_LOCK",
      "CKR_DEVICE_MEMORY",
      "CKR_FUNCTION_CANCELED",
      "CKR_HOST_MEMORY",
      "CKR_OPERATION_ACTIVE",
      "CKR_SESSION_COUNT",
    ],
  } satisfies Partial<Record<Pkcs11Verdict, readonly string[]>>).flatMap(([verdict, names]) =>
    names.map((name) => [name, verdict as Pkcs11Verdict] as const),
  ),
);

/** The standard's name of what the module answered; `undefined` = no answer of a module. */
export function pkcs11Name(error: unknown): string | undefined {
  // The binding leaves the number behind the name in errors of some calls.
  return error instanceof Error ? /^(CKR_[A-Z0-9_]{1,60})(?::[0-9]+)?$/.exec(error.message)?.[1] : undefined;
}

export function pkcs11Verdict(error: unknown): Pkcs11Verdict {
  return verdicts.get(pkcs11Name(error) ?? "") ?? "unclear";
}
