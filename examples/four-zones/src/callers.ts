import { createHash, randomBytes } from "node:crypto";
import type { JWTPayload } from "jose";
import type { Caller } from "./call.ts";
import type { Edge } from "./edge.ts";

export interface PatientWish {
  readonly clientId?: string;
  readonly scope?: string;
}

/** A patient's app signs in with PKCE; `patient-app` unless another is named. */
export async function patientToken(
  { issuer, origin }: Edge,
  patient: string,
  { clientId = "patient-app", scope = "patient/*.rs patient/Observation.c" }: PatientWish = {},
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

/** What the hospital's OpenID provider says of a physician at work. */
export function staffToken({ signIn, origin }: Edge, more: JWTPayload = {}): Promise<string> {
  return signIn.issue({
    sub: "dr-grey",
    client_id: "ward-console",
    aud: `${origin}/staff`,
    fhirUser: `${origin}/staff/Practitioner/dr-grey`,
    scope: "user/*.rs user/Observation.c",
    roles: ["physician"],
    department: "cardiology",
    purpose_of_use: "TREAT",
    device_posture: "compliant",
    ...more,
  });
}

/** A payer's system with a token about one of its members. */
export async function partner({ ca, payers, origin }: Edge, name: "north" | "south"): Promise<Caller> {
  const system = payers[name];
  const member = name === "north" ? "anna" : "ben";
  const { body } = await system.askForToken({
    member,
    scope: "patient/*.rs patient/Observation.c",
    resource: `${origin}/partner`,
  });
  return { ca, ...system.certificate, token: body?.access_token ?? "" };
}
