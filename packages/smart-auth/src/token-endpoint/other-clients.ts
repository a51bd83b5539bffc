import { type Decision, deny, permit } from "@wardline/policy-types";
import { type ClientAssertionFacts, findRegistered } from "./client-assertion.ts";
import { CLIENT_UNPROVED, CLIENT_UNPROVED_BASIC, CLIENTS_UNAVAILABLE } from "./problems.ts";

export interface UnassertedFacts {
  readonly form: URLSearchParams;
  readonly named: readonly string[];
  readonly authorization: string | undefined;
  readonly findClient: ClientAssertionFacts["findClient"];
}

/**
 * Whether a request without an assertion may pass to an authorization server that knows other ways of authentication. Not for
 * a client that has keys: whoever stole its name, or a secret it once had, would come without them.
 */
export async function decideUnasserted({
  form,
  named,
  authorization,
  findClient,
}: UnassertedFacts): Promise<Decision<undefined>> {
  const unproved = authorization === undefined ? CLIENT_UNPROVED : CLIENT_UNPROVED_BASIC;
  if (named.length === 0) return deny(unproved, ["the request names no client"]);
  // SMART App Launch 2.2, backend services: asymmetric authentication.
  if (form.get("grant_type") === "client_credentials") {
    return deny(unproved, ["client_credentials without an assertion"]);
  }
  try {
    for (const name of named) {
      const client = await findRegistered(findClient, name);
      if (client !== undefined) return deny(unproved, ["a client with keys came without an assertion"]);
    }
  } catch {
    return deny(CLIENTS_UNAVAILABLE, ["the registry did not answer"]);
  }
  return permit(undefined, ["a client without keys: the authorization server judges it"]);
}
