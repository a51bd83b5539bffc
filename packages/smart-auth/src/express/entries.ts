import { contextOf, type EntryContext } from "@wardline/policy-types/express";
import type { Request } from "express";
import type { BundleAccess } from "../batch.ts";
import { carriedOut } from "../forward.ts";
import type { OnRefusal } from "../guard/answer.ts";
import type { EntryJudging } from "../guard/batch-answer.ts";
import type { GuardFacts } from "../guard/facts.ts";

/** A15: each entry is an access or a refusal of its own. One that was refused stands there with what it asked. */
export function noteEntries(req: Request, { entries, interaction }: BundleAccess): readonly EntryContext[] {
  const noted = entries.map((decision, at): EntryContext => {
    const { method: written = "", interaction: asked = interaction } = interaction.entries[at] ?? {};
    // A14: no parser of HTTP has read it, so that one that means nothing may hold anything.
    const method = asked.code === "unknown" ? "" : written;
    const [patients, delivered] = [new Set<string>(), new Set<string>()];
    if (decision.kind === "deny") {
      const { code: problem, status } = decision.problem;
      return { method, interaction: asked, isPermitted: false, patients, delivered, problem, status };
    }
    for (const id of decision.grant.patients ?? []) patients.add(id);
    return { method, interaction: carriedOut(decision.grant), isPermitted: true, patients, delivered };
  });
  contextOf(req).entries = noted;
  return noted;
}

/** Judges an entry's answer and notes what comes of it, beside what is noted for the whole. */
export function notingJudge(noted: EntryContext, facts: GuardFacts, onRefusal: OnRefusal): EntryJudging {
  return {
    facts: {
      ...facts,
      onPatients: (ids, what) => {
        // RFC 9110 section 9.3.2: of what HEAD asks about nothing is sent.
        const isSent = what !== "written" && noted.method !== "HEAD";
        facts.onPatients(ids, isSent ? undefined : "written");
        for (const id of ids) {
          noted.patients.add(id);
          if (isSent) noted.delivered.add(id);
        }
      },
    },
    onRefusal: (problem, because) => {
      noted.problem = problem.code;
      onRefusal(problem, because);
    },
    onAnswer: (status, location) => {
      noted.status = status;
      if (typeof location === "string") noted.location = location;
    },
  };
}
