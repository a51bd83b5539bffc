import type { AccessRecord, Decision, Grant } from "@wardline/policy-types";
import { afterAnswer, contextOf, type RequestContext } from "@wardline/policy-types/express";
import type express from "express";
import { smartAuth } from "../../src/express.ts";
import type { SmartAuthOptions } from "../../src/options.ts";
import { type Backend, createBackend, UPSTREAM } from "./backend.ts";
import { AUDIENCE, createIssuer, NOW, type TestIssuer } from "./issuer.ts";
import { ask, listen, type Question, type RawAnswer } from "./servers.ts";

export interface Edge {
  readonly origin: string;
  readonly issuer: TestIssuer;
  readonly backend: Backend;
  readonly decisions: Decision<Grant>[];
  /** What the audit sees of each request that has ended. */
  readonly records: AccessRecord[];
  /** Context of the latest request. */
  readonly context: () => RequestContext;
  /** Asks below the FHIR base with a token of these scopes (and claims); `undefined` sends none. */
  as(
    scope: string | undefined,
    path: string,
    question?: Question,
    claims?: Record<string, unknown>,
  ): Promise<RawAnswer>;
}

/** A whole app: an issuer, the middleware, and a backend that guards nothing. */
export async function createEdge(
  framework: typeof express,
  options: Partial<SmartAuthOptions> = {},
  honest = true,
): Promise<Edge> {
  const issuer = await createIssuer();
  const backend = createBackend(framework, honest);
  const decisions: Decision<Grant>[] = [];
  const records: AccessRecord[] = [];
  let context: RequestContext | undefined;
  const app = framework();
  app.use((req, res, next) => {
    context = contextOf(req);
    afterAnswer(res, (record) => records.push(record));
    next();
  });
  app.use(
    "/fhir",
    smartAuth({
      issuers: [issuer.policy],
      baseUrl: AUDIENCE,
      backendBaseUrls: [UPSTREAM],
      development: true,
      now: () => NOW * 1000,
      onDecision: (decision) => decisions.push(decision),
      ...options,
    }),
    backend.router,
  );
  const origin = await listen(app);
  return {
    origin,
    issuer,
    backend,
    decisions,
    records,
    context: () => {
      if (context === undefined) throw new Error("no request yet");
      return context;
    },
    async as(scope, path, question = {}, claims = {}) {
      const headers: Record<string, string | readonly string[]> = { ...question.headers };
      if (scope !== undefined) headers["authorization"] = `Bearer ${await issuer.token({ scope, ...claims })}`;
      return ask(origin, `/fhir${path}`, { ...question, headers });
    },
  };
}

/** Claims of a practitioner's token: no launch patient. */
export const DOCTOR: Record<string, unknown> = { patient: undefined, fhirUser: "Practitioner/d1" };
/** Claims of a client that acts for itself. */
export const SYSTEM: Record<string, unknown> = { patient: undefined, sub: "app-1" };

export const FHIR = { "content-type": "application/fhir+json" };
export const FORM = { "content-type": "application/x-www-form-urlencoded" };

export function codeOf(answer: RawAnswer): string | undefined {
  const body = JSON.parse(answer.text) as { issue?: { details?: { coding?: { code?: string }[] } }[] };
  return body.issue?.[0]?.details?.coding?.[0]?.code;
}

/** Ids of a Bundle's entries. */
export function idsOf(answer: RawAnswer): string[] {
  const body = JSON.parse(answer.text) as { entry?: { resource?: { id?: string } }[] };
  return (body.entry ?? []).map((entry) => entry.resource?.id ?? "?");
}
