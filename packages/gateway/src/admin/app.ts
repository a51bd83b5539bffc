import { randomUUID } from "node:crypto";
import type { AdminPolicy } from "@wardline/policy-types";
import { contextOf, sendProblem } from "@wardline/policy-types/express";
import { tokenAuth } from "@wardline/smart-auth";
import express, { type Express, type RequestHandler } from "express";
import { trustedIssuers } from "../auth.ts";
import type { ParsedDependencies } from "../options.ts";
import type { CheckedPolicy } from "../policy/load.ts";
import { INTERNAL, NO_ROUTE } from "../problems.ts";
import { consolePage } from "./console/files.ts";
import type { AdminFacts } from "./facts.ts";
import { operations } from "./operations.ts";

/**
 * The operator's listener, apart from the clients' and by default on loopback. `/healthz` (the process answers), `/readyz`
 * (it may be sent requests; 503 when not) and `/metrics` hold no PHI and are open to whoever reaches the listener. All
 * else needs a token of an operator, and without `admin.operators` there is nothing else. `/console` is a page that shows,
 * to whoever has such a token, what the other routes tell.
 */
export function adminApp(facts: AdminFacts): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").set("query parser", "simple");
  app.use(asJson);
  app.get("/healthz", (_req, res) => void res.json({ status: "up" }));
  app.get("/readyz", (_req, res) => {
    const readiness = facts.health.readiness();
    res.status(readiness.status === "ready" ? 200 : 503).json(readiness);
  });
  app.get("/metrics", async (_req, res) => {
    res.type(facts.registry.contentType).send(await facts.registry.metrics());
  });
  const { operators } = facts.policy.admin ?? {};
  if (operators !== undefined) {
    app.use(consolePage());
    app.use(operatorsOnly(operators, facts));
    app.use(operations(facts));
  }
  app.use((_req, res) => sendProblem(res, NO_ROUTE));
  app.use(failSafely(facts.dependencies));
  return app;
}

const asJson: RequestHandler = (req, res, next) => {
  contextOf(req).media = "json";
  res.set({
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
  });
  next();
};

/** A10: by the policy in force. An issuer that was taken out of it signs no operator in any more. */
function operatorsOnly(
  { audience, roles, amr = ["mfa"] }: NonNullable<AdminPolicy["operators"]>,
  { inForce, shared, dependencies }: AdminFacts,
): RequestHandler {
  let checked = inForce.checked();
  let auth = authBy(checked);
  return function operatorsOnlyMiddleware(req, res, next) {
    const now = inForce.checked();
    if (now !== checked) {
      auth = authBy(now);
      checked = now;
    }
    return auth(req, res, next);
  };

  function authBy({ policy }: CheckedPolicy): RequestHandler {
    return tokenAuth({
      issuers: trustedIssuers({ policy, material: inForce.material(), dependencies }, () => [audience]),
      baseUrl: policy.publicOrigin,
      roles,
      amr,
      replayStore: shared.replayStore,
      revocation: shared.revocation,
      development: policy.development === true,
      fetch: dependencies.fetch,
      now: dependencies.now,
    });
  }
}

function failSafely({ onEvent }: ParsedDependencies): express.ErrorRequestHandler {
  return function failSafelyMiddleware(error: unknown, _req, res, _next) {
    const message = "an operation on the admin listener failed";
    onEvent({ level: "error", code: "gateway/stage-failed", message, facts: { requestId: randomUUID() }, error });
    sendProblem(res, INTERNAL);
  };
}
