import { grantOf, readBody, requireControls, sendProblem } from "@wardline/policy-types/express";
import { ask } from "@wardline-tools/test-kit";
import type { RequestHandler } from "express";
import { describe, expect, it } from "vitest";
import { adviceOn, mistakesAtStart, onExpress, open, warningsOf } from "./support.ts";

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no control demanded": [() => requireControls([]), "needs a zone (patient, internal, partner, device) or a list"],
    "a misspelled zone": [
      () => requireControls("patients" as "patient"),
      "needs a zone (patient, internal, partner, device)",
    ],
    "a misspelled control": [() => requireControls(["smart-aut"]), "did you mean `smart-auth`?"],
    "a control of one's own is none": [() => requireControls(["consent-screen", "tiered-throttle-door"]), "it started"],
  });
});

onExpress((make, express) => {
  it("the controls mounted after requireControls: refused, and told once which", async () => {
    const app = make();
    app.use(requireControls(["smart-auth", "audit-event"]), (_req, res) => void res.end("served"));
    const origin = await open(app);
    const said = await warningsOf(async () => {
      for (let time = 0; time < 2; time++) expect((await ask(origin)).code).toBe("policy-types/control-skipped");
    });
    expect(said).toEqual([expect.stringContaining("without smart-auth, audit-event: mount them before it")]);
    expect(adviceOn("policy-types/control-skipped")).toContain("mount the missing middleware before it");
  });

  it("a grant asked for without smart-auth", async () => {
    const app = make();
    let told = "";
    app.use((req, res) => {
      try {
        grantOf(req);
      } catch (error) {
        told = (error as Error).message;
      }
      res.end();
    });
    await ask(await open(app));
    expect(told).toBe("no grant in the request context: mount smartAuth() before this middleware");
  });

  const reading = async (first: RequestHandler): Promise<string> => {
    const app = make();
    app.use(first);
    app.use(async (req, res) => {
      const decision = await readBody(req, { limitBytes: 1000 });
      if (decision.kind === "deny") return sendProblem(res, decision.problem);
      res.json(decision.grant.json);
    });
    return open(app);
  };
  const sent = { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' };

  it("F1: a body that something read and threw away is answered, not waited for, and told once", async () => {
    const origin = await reading((req, _res, next) => void req.resume().once("end", next));
    const said = await warningsOf(async () => {
      for (let time = 0; time < 2; time++) {
        const { status, code } = await ask(origin, sent);
        expect([status, code]).toEqual([500, "policy-types/body-consumed"]);
      }
    });
    expect(said).toEqual([expect.stringMatching(/^WARDLINE_BODY_CONSUMED: .*mount it after, or use express\.json/)]);
  });

  it("a body parser before is no mistake, nor is a request without a body", async () => {
    const parsed = await reading(express.json());
    expect((await ask(parsed, sent)).text).toBe('{"a":1}');
    const emptied = await reading((req, _res, next) => void req.resume().once("end", next));
    expect((await ask(emptied, { method: "POST" })).code).toBeUndefined();
  });
});
