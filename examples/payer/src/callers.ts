import { createHash, randomBytes } from "node:crypto";
import type { Caller } from "./call.ts";
import type { Edge } from "./edge.ts";

export interface MemberWish {
  readonly clientId?: string;
  readonly scope?: string;
}

/** A member's app signs in with PKCE; `member-app` unless another is named. */
export async function memberToken(
  { issuer, origin }: Edge,
  patient: string,
  { clientId = "member-app", scope = "patient/*.rs" }: MemberWish = {},
): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    scope,
    aud: `${origin}/patient`,
    login_hint: patient,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const { code } = (await (await fetch(`${issuer}/authorize?${asked.toString()}`)).json()) as { code: string };
  const form = new URLSearchParams({ grant_type: "authorization_code", code, code_verifier: verifier });
  const answer = await fetch(`${issuer}/token`, { method: "POST", body: form });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Another organisation's system, with a token for one of the APIs, about a member or about nobody. */
export async function partner(
  { ca, systems, origin }: Edge,
  name: keyof Edge["systems"],
  { api, ...about }: { readonly api: "provider" | "payer" | "prior-auth"; readonly member?: string },
): Promise<Caller> {
  const { body } = await systems[name].askForToken({ ...about, scope: "patient/*.rs", resource: `${origin}/${api}` });
  return { ca, ...systems[name].certificate, token: body?.access_token ?? "" };
}
