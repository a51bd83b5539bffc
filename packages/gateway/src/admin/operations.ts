import { isId } from "@wardline/fhir-r4";
import { SENSITIVE_CATEGORIES } from "@wardline/phi-redact";
import { sendProblem } from "@wardline/policy-types/express";
import { type Request, type Response, Router } from "express";
import { ADMIN_BODY_WRONG, ADMIN_NOT_FOUND } from "../problems.ts";
import { actorOf, bodyOf, operatorOf } from "./asked.ts";
import type { AdminFacts } from "./facts.ts";
import { revokeTokens } from "./tokens.ts";

/** What is done to a consent, and what it then is. */
const CONSENT_VERBS = { revoke: "revoked", restore: "restored", permit: "permitted", withdraw: "withdrawn" } as const;
const CALLER_KINDS = ["address", "client", "subject"] as const;

/**
 * What an operator can see and do: the policy in force, limits and circuits, the inventory, blocks, consents, revoked
 * tokens, the head of the audit log. Every change is recorded with the operator's name and reason before it is answered.
 *
 * Requires to stand behind authentication.
 */
export function operations(facts: AdminFacts): Router {
  const { inForce, audit, watch, inventory, throttles, shared } = facts;
  const router = Router({ caseSensitive: true });

  router.get("/policy", (_req, res) => {
    const { policy, version } = inForce.checked();
    res.json({ version, name: policy.name, approval: inForce.approval() });
  });
  router.get("/limits", (_req, res) => void res.json(throttles.snapshot()));
  router.get("/inventory", (_req, res) => void res.json(inventory.current()?.report() ?? {}));
  router.get("/audit/head", (_req, res) => {
    const { status, durable, checkpoint } = audit.ledger.state();
    res.json({ status, durable, checkpoint });
  });

  router.get("/blocks", (_req, res) => {
    res.json({ measures: watch.current()?.measures.list() ?? [], monitor: watch.current()?.snapshot() });
  });
  router.post("/blocks", async (req, res) => {
    const monitor = watch.current();
    const asked = await bodyOf(req, res, ["kind", "name", "because"], ["issuer", "seconds"]);
    if (asked === undefined) return;
    const kind = CALLER_KINDS.find((one) => one === asked["kind"]);
    if (kind === undefined || monitor === undefined) return sendProblem(res, ADMIN_BODY_WRONG);
    const { issuer } = asked;
    const named = { kind, name: asked["name"] ?? "", ...(issuer === undefined ? {} : { issuer }) };
    const seconds = asked["seconds"] === undefined ? undefined : Number(asked["seconds"]);
    try {
      const measure = monitor.measures.impose(
        { kind, pseudonym: monitor.pseudonymOf(named) },
        {
          operator: operatorOf(req),
          because: asked["because"] ?? "",
          ...(seconds === undefined ? {} : { seconds }),
        },
      );
      res.status(201).json(measure);
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) return sendProblem(res, ADMIN_BODY_WRONG);
      throw error;
    }
  });
  router.post("/blocks/:id/confirm", (req, res) => change(req, res, "confirm"));
  router.post("/blocks/:id/lift", (req, res) => change(req, res, "lift"));

  async function change(req: Request, res: Response, verb: "confirm" | "lift"): Promise<void> {
    const asked = await bodyOf(req, res, ["because"]);
    if (asked === undefined) return;
    const note = { operator: operatorOf(req), because: asked["because"] ?? "" };
    const isKnown = watch.current()?.measures[verb](String(req.params["id"]), note) === true;
    if (isKnown) res.json({ status: verb === "lift" ? "lifted" : "active" });
    else sendProblem(res, ADMIN_NOT_FOUND);
  }

  router.post("/consents/:verb", async (req, res) => {
    const verb = req.params["verb"] as keyof typeof CONSENT_VERBS;
    if (!Object.hasOwn(CONSENT_VERBS, verb)) return sendProblem(res, ADMIN_NOT_FOUND);
    const agrees = verb === "permit" || verb === "withdraw";
    const asked = await bodyOf(
      req,
      res,
      ["patient", "because", ...(agrees ? ["category"] : [])],
      ["client", "organisation", "category"],
    );
    if (asked === undefined) return;
    const { patient = "", client, organisation, category, because = "" } = asked;
    // Under another name than its id nobody has such a patient, and nothing would be withheld.
    if (!isId(patient)) return sendProblem(res, ADMIN_BODY_WRONG);
    // A name that is none would be taken for a consent, and open nothing.
    if (agrees && !SENSITIVE_CATEGORIES.some(({ name }) => name === category))
      return sendProblem(res, ADMIN_BODY_WRONG);
    // Recorded first: a change nobody can account for must not happen.
    await audit.record("consent-changed", {
      patients: [patient],
      because,
      actor: actorOf(req),
      details: { change: verb },
    });
    const whom = {
      ...(client === undefined ? {} : { client }),
      ...(organisation === undefined ? {} : { organisation }),
    };
    if (agrees) await shared.consent[verb](patient, { ...whom, category: category ?? "" });
    else await shared.consent[verb](patient, { ...whom, ...(category === undefined ? {} : { category }) });
    res.json({ status: CONSENT_VERBS[verb] });
  });

  router.post("/tokens/revoke", revokeTokens(facts));

  return router;
}
