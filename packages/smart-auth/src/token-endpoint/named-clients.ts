import { type Decision, deny, permit } from "@wardline/policy-types";
import { isSpelledOtherwise, partedAtSemicolons } from "./parameters.ts";
import { CLIENT_AMBIGUOUS } from "./problems.ts";

/** Once each, RFC 6749 section 3.2: of two values, two readers may take different ones. */
const SINGLE: ReadonlySet<string> = new Set([
  "client_id",
  "client_secret",
  "client_assertion",
  "client_assertion_type",
]);

/**
 * Ids a request to a token endpoint names its client by, as written and as read by RFC 6749 section 2.3.1; none when it names
 * nobody. Nothing of it is proved.
 */
export function namedClients(form: URLSearchParams, authorization: string | undefined): Decision<readonly string[]> {
  const names = [...form.keys()];
  const isRepeated = names.some((name, at) => SINGLE.has(name) && names.indexOf(name) !== at);
  if (isRepeated) return deny(CLIENT_AMBIGUOUS, ["a repeated parameter"]);
  if (names.some((name) => isSpelledOtherwise(name, SINGLE))) {
    return deny(CLIENT_AMBIGUOUS, ["a parameter spelled otherwise"]);
  }
  const clientId = form.get("client_id");
  if (authorization === undefined) return permit(clientId === null ? [] : [clientId], []);
  const user = basicUser(authorization);
  if (user === undefined) return deny(CLIENT_AMBIGUOUS, ["an Authorization header that is not Basic"]);
  const users = [...new Set([user, formDecoded(user)])];
  if (clientId !== null && !users.includes(clientId)) return deny(CLIENT_AMBIGUOUS, ["client_id is another client"]);
  return permit(users, []);
}

/** @see https://www.rfc-editor.org/rfc/rfc7617#section-2 */
function basicUser(authorization: string): string | undefined {
  const [, encoded = ""] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const [, user] = /^([^:]*):/s.exec(Buffer.from(encoded, "base64").toString("utf8")) ?? [];
  return user;
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** What names or authenticates a client; a secret may hold anything. */
const TELLING = ["client_id", "client_assertion", "client_assertion_type"] as const;

/** A12: whether a form tells of another client to a server that parts it at ";" as well. */
export function namesAnother(text: string, form: URLSearchParams): boolean {
  const parted = partedAtSemicolons(text);
  return parted !== undefined && TELLING.some((name) => parted.getAll(name).join() !== form.getAll(name).join());
}
