import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import { createKeySource, type KeyLookup } from "../jwks.ts";
import type { KeyEvent } from "../key-events.ts";
import { type KeyQuery, parseKeySet } from "../key-set.ts";
import { parseSafeUrl } from "../loopback.ts";
import type { ClientAssertionFacts, RegisteredClient } from "./client-assertion.ts";

/** A client and its public keys, or where it publishes them. */
export type ClientKeys = Pick<RegisteredClient, "clientId" | "jwks" | "jwksUri">;

export interface ClientRegistryOptions {
  /** Who may ask for tokens, and where their keys are. */
  readonly clients: readonly ClientKeys[];
  /** Told of keys that are fetched; `issuer` is the client's id. Default: nobody. */
  readonly onKeys?: (event: KeyEvent) => void;
  /** Plain http on loopback addresses. Default false. */
  readonly development?: boolean;
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const KNOWN = [
  "clients",
  "onKeys",
  "development",
  "fetch",
  "now",
] as const satisfies readonly (keyof ClientRegistryOptions)[];

/**
 * The `findClient` of `requireClientAssertion` for clients that are known at start. Key sets are fetched when first needed,
 * one at a time, again when a key is not in them, and kept no longer than their `Cache-Control` says. Throws a
 * `ConfigurationError` with every mistake.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
 */
export function clientRegistry(options: ClientRegistryOptions): ClientAssertionFacts["findClient"] {
  const { clients, onKeys = () => undefined, development = false, fetch = globalThis.fetch, now = Date.now } = options;
  checkOptions(options, development);
  const known = new Map(
    clients.map(({ clientId, jwks, jwksUri }): [string, RegisteredClient] => {
      if (jwks !== undefined) return [clientId, { clientId, findKey: finderIn(jwks) }];
      const source = createKeySource({
        issuer: clientId,
        ...(jwksUri === undefined ? {} : { jwksUri }),
        heedCacheControl: true,
        fetch,
        development,
        now,
        onKeys,
      });
      return [
        clientId,
        { clientId, ...(jwksUri === undefined ? {} : { jwksUri }), findKey: (query) => source.find(query) },
      ];
    }),
  );
  return (clientId) => Promise.resolve(known.get(clientId));
}

function finderIn(jwks: NonNullable<ClientKeys["jwks"]>): (query: KeyQuery) => Promise<KeyLookup> {
  const keys = parseKeySet(jwks);
  return async (query) => {
    const key = await keys.find(query);
    return key === undefined ? { kind: "unknown" } : { kind: "found", key };
  };
}

function checkOptions(options: ClientRegistryOptions, development: boolean): void {
  const found = findings();
  refuseUnknownKeys(found, options, KNOWN);
  if (!Array.isArray(options.clients)) found.add("clients", "missing", "write a list of clients");
  else
    for (const [at, client] of (options.clients as readonly ClientKeys[]).entries())
      checkClient(found, options.clients, client, at, development);
  found.throwIfAny("clientRegistry options");
}

function checkClient(
  found: Findings,
  clients: readonly ClientKeys[],
  client: ClientKeys,
  at: number,
  development: boolean,
): void {
  const path = `clients[${at}]`;
  refuseUnknownKeys(found, client, ["clientId", "jwks", "jwksUri"], path);
  const { clientId, jwks, jwksUri } = client;
  if (typeof clientId !== "string" || clientId === "") {
    found.add(`${path}.clientId`, "missing", "name the client");
  } else if (clients.findIndex((other) => other.clientId === clientId) !== at) {
    found.add(`${path}.clientId`, "repeated", "the same client is registered twice");
  }
  if ((jwks === undefined) === (jwksUri === undefined)) {
    found.add(path, "ambiguous", "give its keys, as `jwks`, or where they are, as `jwksUri`");
  }
  if (jwksUri !== undefined && parseSafeUrl(jwksUri, development) === undefined) {
    found.add(`${path}.jwksUri`, "not-https", "must be an absolute https URL");
  }
  if (jwks !== undefined && !isPublicSet(jwks)) {
    found.add(`${path}.jwks`, "not-a-key-set", "must be a JWK Set of public keys");
  }
}

/** A private key that lies here has left its owner's hands. */
function isPublicSet(jwks: unknown): boolean {
  const keys = (jwks as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 100) return false;
  return (keys as unknown[]).every((key) => typeof key === "object" && key !== null && !("d" in key) && !("k" in key));
}
