/** An app registered with the OAuth server. */
export interface App {
  readonly id: string;
  readonly name: string;
  /**
   * `public`: a patient's app, authorisation code with PKCE. `system`: client credentials with a signed assertion.
   * `introspector`: the edge itself, which may only ask what an opaque token means.
   */
  readonly kind: "public" | "system" | "introspector";
  readonly tokenFormat: "jwt" | "opaque";
}

export const PATIENT_APP = "patient-app";
/** Like the patient app; the tour lets it ask too often. */
export const BUSY_APP = "busy-app";
export const OPAQUE_APP = "opaque-app";
export const SYSTEM_APP = "population-health";
export const INTROSPECTOR = "edge";

export const APPS: readonly App[] = [
  { id: PATIENT_APP, name: "Patient app", kind: "public", tokenFormat: "jwt" },
  { id: BUSY_APP, name: "Busy app", kind: "public", tokenFormat: "jwt" },
  { id: OPAQUE_APP, name: "Opaque app", kind: "public", tokenFormat: "opaque" },
  { id: SYSTEM_APP, name: "Population health", kind: "system", tokenFormat: "jwt" },
  { id: INTROSPECTOR, name: "The edge", kind: "introspector", tokenFormat: "jwt" },
];

/** Loopback, so that any port of the developer's own machine will do (RFC 8252 section 7.3). */
export const REDIRECT_URI = "http://127.0.0.1/callback";

/** Seconds. SMART App Launch 2.2: at most an hour for apps, five minutes for backend services. */
export const TOKEN_SECONDS: Readonly<Record<App["kind"], number>> = { public: 3600, system: 300, introspector: 60 };

const WORDS = ["openid", "fhirUser", "offline_access", "launch/patient"];
const SHAPES: Readonly<Record<App["kind"], RegExp | undefined>> = {
  public: /^(?:patient|user)\/(?:\*|[A-Za-z]+)\.(?:[cruds]+|read|write|\*)(?:\?.+)?$/,
  system: /^system\/(?:\*|[A-Za-z]+)\.(?:[cruds]+|read|write|\*)(?:\?.+)?$/,
  introspector: undefined,
};

/**
 * What an app is granted of what it asked: SMART scopes, v1 and v2, of its own kind. The rest is left out, as OAuth
 * allows; what a scope permits is the gateway's to judge.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export function grantable(app: App, requested: string): readonly string[] {
  const shape = SHAPES[app.kind];
  const words = app.kind === "public" ? WORDS : [];
  return [...new Set(requested.split(" "))].filter((scope) => words.includes(scope) || shape?.test(scope) === true);
}

export function appOf(clientId: string): App {
  const app = APPS.find(({ id }) => id === clientId);
  if (app === undefined) throw new Error("the app is not registered");
  return app;
}
