import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { JWK } from "jose";
import { REDIRECT_URI, SYSTEM_APP } from "./apps.ts";
import { sign } from "./signing-keys.ts";

/** What an app learns from `.well-known/smart-configuration`. */
export interface Endpoints {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
}

export interface Tokens {
  readonly access_token: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly patient?: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

/** SMART discovery, as any app does it. */
export async function discover(fhirBase: string): Promise<Endpoints> {
  const answer = await fetch(`${fhirBase}/.well-known/smart-configuration`);
  if (!answer.ok) throw new Error(`discovery answered ${answer.status}`);
  return (await answer.json()) as Endpoints;
}

export interface Launch {
  readonly fhirBase: string;
  readonly app: string;
  readonly scope: string;
  /** Whom the user signs in as. */
  readonly patient: string;
}

/** A SMART standalone launch from beginning to end: authorisation code with PKCE, and a user who allows it. */
export async function launch(endpoints: Endpoints, { fhirBase, app, scope, patient }: Launch): Promise<Tokens> {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(endpoints.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: app,
    redirect_uri: REDIRECT_URI,
    scope,
    state: randomUUID(),
    aud: fhirBase,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  const callback = await signInAs(patient, url);
  const code = callback.searchParams.get("code");
  if (code === null) throw new Error(`not authorised: ${callback.searchParams.get("error") ?? "no code"}`);
  return requestTokens(endpoints.token_endpoint, {
    grant_type: "authorization_code",
    code,
    redirect_uri: REDIRECT_URI,
    client_id: app,
    code_verifier: verifier,
  });
}

/** Does with `fetch` what a user does with a browser: follows redirects, keeps cookies, fills in the form. */
export async function signInAs(patient: string, authorizationUrl: URL): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = authorizationUrl;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 10; step++) {
    const answer = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    form = undefined;
    if (location !== null) {
      url = new URL(location, url);
      if (url.href.startsWith(REDIRECT_URI)) return url;
    } else if (answer.status === 200) {
      form = new URLSearchParams({ patient, answer: "allow" });
    } else {
      throw new Error(`sign-in answered ${answer.status}`);
    }
  }
  throw new Error("sign-in did not come to an end");
}

/** SMART Backend Services: no user, an assertion signed with the app's own key (RFC 7523). */
export async function systemToken(endpoints: Endpoints, key: JWK, scope: string): Promise<Tokens> {
  const now = Math.floor(Date.now() / 1000);
  return requestTokens(endpoints.token_endpoint, {
    grant_type: "client_credentials",
    scope,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await sign(key, "JWT", {
      iss: SYSTEM_APP,
      sub: SYSTEM_APP,
      aud: endpoints.token_endpoint,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
    }),
  });
}

async function requestTokens(endpoint: string, form: Record<string, string>): Promise<Tokens> {
  const answer = await fetch(endpoint, { method: "POST", body: new URLSearchParams(form) });
  const body = (await answer.json()) as Tokens & { readonly error?: string };
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status} ${body.error ?? ""}`);
  return body;
}
