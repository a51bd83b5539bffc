import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { callIssuer, type FetchSettings, type IssuerAnswer } from "../fetch-json.ts";
import type { IntrospectionSettings } from "./settings.ts";

/** RFC 9701 section 4. */
export const SIGNED_MEDIA_TYPE = "application/token-introspection+jwt";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION_SECONDS = 60;

/**
 * Asks an authorisation server about a token. Rejects when it does not answer with 200 in time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-2.1
 */
export async function askAbout(
  token: string,
  issuer: string,
  settings: IntrospectionSettings,
  now: number,
  fetching: FetchSettings,
): Promise<IssuerAnswer> {
  const form = new URLSearchParams({ token, token_type_hint: "access_token" });
  const { authentication, clientId, endpoint, expectSigned } = settings;
  const accept = expectSigned ? SIGNED_MEDIA_TYPE : "application/json";
  if (authentication.method === "client_secret_basic") {
    const headers = { Authorization: basic(clientId, authentication.secret) };
    return callIssuer(endpoint, { accept, form, headers }, fetching);
  }
  form.set("client_id", clientId);
  if (authentication.method === "tls_client_auth") {
    return callIssuer(endpoint, { accept, form }, { ...fetching, fetch: authentication.fetch });
  }
  form.set("client_assertion_type", ASSERTION_TYPE);
  form.set("client_assertion", await assertion(issuer, clientId, authentication, now));
  return callIssuer(endpoint, { accept, form }, fetching);
}

/** RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. */
function basic(clientId: string, secret: string): string {
  const encode = (part: string) => new URLSearchParams({ "": part }).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString("base64")}`;
}

/** RFC 7523 section 3. The issuer is the one audience no other server can pass the assertion on to. */
function assertion(
  issuer: string,
  clientId: string,
  { key, alg, kid }: Extract<IntrospectionSettings["authentication"], { method: "private_key_jwt" }>,
  now: number,
): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg, kid, typ: "JWT" })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_SECONDS)
    .sign(key);
}
