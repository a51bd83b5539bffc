import { type Findings, join, refuseUnknownKeys } from "@wardline/policy-types";
import { parseScope, parseScopes, type ResourceScope } from "../scopes.ts";

/** What an application was approved for, whatever its tokens say. */
export interface ClientRegistration {
  readonly clientId: string;
  /** Whose `client_id` it is. Absent: the same client at every issuer. */
  readonly issuer?: string;
  /** SMART resource scopes, v1 or v2: a token counts for what lies within them. */
  readonly scopes: readonly string[];
  /** Becomes the caller's organisation, in place of what the token says. */
  readonly organisation?: string;
}

export interface RegisteredScopes {
  readonly scopes: readonly ResourceScope[];
  readonly organisation?: string;
}

/** By issuer and client; `undefined` for clients that are not registered. */
export type ClientRegistry = (issuer: string, clientId: string | undefined) => RegisteredScopes | undefined;

const KNOWN = ["clientId", "issuer", "scopes", "organisation"] as const satisfies readonly (keyof ClientRegistration)[];

export function parseClients(
  found: Findings,
  clients: readonly ClientRegistration[],
  path: string,
): ClientRegistry | undefined {
  if (!Array.isArray(clients)) {
    found.add(path, "not-a-list", "must be a list of client registrations");
    return undefined;
  }
  const registered = new Map<string, RegisteredScopes>();
  (clients as readonly ClientRegistration[]).forEach((client, at) => {
    const here = join(path, at);
    if (client === null || typeof client !== "object") {
      found.add(here, "not-an-object", "must be a client registration");
      return;
    }
    refuseUnknownKeys(found, client, KNOWN, here);
    const { clientId, issuer, scopes, organisation } = client;
    if (typeof clientId !== "string" || clientId === "")
      found.add(join(here, "clientId"), "missing", "name the client");
    for (const name of ["issuer", "organisation"] as const) {
      const value = client[name];
      if (value !== undefined && (typeof value !== "string" || value === "")) {
        found.add(join(here, name), "not-a-name", "must be a text that is not empty");
      }
    }
    if (!Array.isArray(scopes)) found.add(join(here, "scopes"), "not-a-list", "must be a list of scopes");
    else checkScopes(found, scopes, join(here, "scopes"));
    const key = keyOf(issuer, clientId);
    if (registered.has(key)) found.add(here, "repeated", "the same client is registered twice");
    registered.set(
      key,
      Object.freeze({
        scopes: parseScopes(textsOf(scopes)),
        ...(organisation === undefined ? {} : { organisation }),
      }),
    );
  });
  return (issuer, clientId) =>
    clientId === undefined
      ? undefined
      : (registered.get(keyOf(issuer, clientId)) ?? registered.get(keyOf(undefined, clientId)));
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

/** A registered scope that is not understood would silently grant nothing, so it stops the start-up. */
export function checkScopes(found: Findings, scopes: readonly unknown[], path: string): void {
  scopes.forEach((scope, at) => {
    if (typeof scope !== "string" || parseScope(scope) === undefined) {
      found.add(join(path, at), "not-a-scope", "must be a SMART resource scope that can be enforced");
    }
  });
}

function keyOf(issuer: string | undefined, clientId: string): string {
  return JSON.stringify([issuer ?? null, clientId]);
}
