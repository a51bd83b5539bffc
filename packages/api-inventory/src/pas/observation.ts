import type { AccessRecord, Interaction } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import type { PriorAuthEvent } from "../journal/journal.ts";
import type { Asked } from "../match.ts";
import type { ParsedPasOptions } from "./options.ts";
import { readClaim, readClaimAnswers } from "./read-claim.ts";

/** One exchange in which a prior authorisation may pass. */
export interface PasObservation {
  /** Looks at an answer, or at a line of one. Never throws and keeps nothing of it but decisions and identifiers. */
  look(body: Json): void;
  /** Hands on what was seen, if the answer went out. */
  conclude(record: AccessRecord, submitted: Json | undefined): void;
}

type Exchange = "submit" | "answer";

/** Undefined for a request in which none can pass. */
export function createPasObservation(
  options: ParsedPasOptions,
  asked: Asked,
  interaction: Interaction | undefined,
): PasObservation | undefined {
  const exchange = exchangeOf(asked, interaction);
  if (exchange === undefined) return undefined;
  const { journal, now } = options;
  const answers: PriorAuthEvent[] = [];

  return {
    look(body) {
      try {
        answers.push(...answersIn(body, options).slice(0, MAX_ANSWERS - answers.length));
      } catch {
        // An observer may not refuse an answer; a body it cannot read holds nothing it could count.
      }
    },
    conclude({ receivedAt, status, completed }, submitted) {
      if (status < 200 || status > 299 || !completed) return;
      const claim = exchange === "submit" ? readClaim(submitted) : undefined;
      // The answer to a submission names the case anew, so both belong to the keys by which it is found later.
      const shared = exchange === "submit" ? [...(claim?.keys ?? []), ...answers.flatMap(({ keys }) => keys)] : [];
      if (exchange === "submit" && shared.length > 0 && claim?.isRequest !== false) {
        const { expedited = false, appeal = false } = claim ?? {};
        journal.priorAuth({ event: "submitted", at: receivedAt, keys: shared, expedited, appeal });
      }
      for (const answer of answers) {
        journal.priorAuth({ ...answer, at: now(), keys: [...new Set([...shared, ...answer.keys])] });
      }
    },
  };
}

const MAX_ANSWERS = 1000;

function answersIn(body: Json, { isExtended, now }: ParsedPasOptions): PriorAuthEvent[] {
  const at = now();
  return readClaimAnswers(body).map(({ keys, decision, createdAt, source }) => ({
    event: "answered",
    at,
    keys,
    decision,
    extended: isExtended(source),
    ...(createdAt === undefined || createdAt > at ? {} : { createdAt }),
  }));
}

/** @see https://hl7.org/fhir/us/davinci-pas/STU2.1/specification.html */
function exchangeOf({ method, path }: Asked, interaction: Interaction | undefined): Exchange | undefined {
  const operation = interaction?.operation?.name;
  const onClaim = interaction === undefined ? /\/Claim\/\$(submit|inquire)$/.exec(path)?.[1] : undefined;
  const called = interaction?.type === "Claim" ? operation : onClaim;
  if (called === "submit" && method === "POST") return "submit";
  if (called === "inquire") return "answer";
  const reads = interaction === undefined ? /\/ClaimResponse(?:\/|$)/.test(path) : interaction.type === "ClaimResponse";
  return reads && (method === "GET" || path.endsWith("/_search")) ? "answer" : undefined;
}
