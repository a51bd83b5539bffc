import { type Decision, deny, type Interaction, type Problem } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { within } from "../deadline.ts";
import { CONSENT_NOT_RECORDED, CONSENT_UNREADABLE } from "../problems.ts";
import { consentFromResource } from "./from-resource.ts";
import type { ConsentSettings } from "./options.ts";
import type { ConsentRegistry } from "./registry.ts";

/** A write may take longer than a question: the answer waits for it. In milliseconds. */
const WRITE_DEADLINE_MS = 2000;

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete"]);

export interface ConsentWrite {
  readonly interaction: Interaction;
  /** The submitted resource, or, of a patch, the resource as it will be. */
  readonly body: Json | undefined;
  readonly baseUrls: readonly string[];
  readonly requestId: string;
  readonly now: number;
}

/** Runs when the store has answered, before its answer is sent. A problem it gives is sent instead. */
export type ConsentGate = (answer: {
  readonly status: number;
  /** The resource as the store names it: `Consent/1`. */
  readonly resource?: string;
}) => Promise<Problem | undefined>;

/** A write that is taken at its word. */
export function feedsConsent({ code, type }: Interaction, { readResources }: ConsentSettings): boolean {
  return readResources && type === "Consent" && WRITES.has(code);
}

/**
 * Takes a Consent that is written through this server at its word: in force before whoever wrote it has the answer. A
 * Consent whose word cannot be told is refused before it is stored.
 *
 * Does NOT see what is written past this server; `ConsentRegistry.record` is there for that.
 */
export function feedConsent(write: ConsentWrite, settings: ConsentSettings): Decision<never> | ConsentGate | undefined {
  const { registry } = settings;
  const { interaction } = write;
  if (registry === undefined || !feedsConsent(interaction, settings)) return undefined;
  // Which resource it will be, only the store knows.
  const isGuess =
    interaction.code !== "create" && (interaction.id === undefined || interaction.condition !== undefined);
  if (isGuess || (interaction.code !== "delete" && read(write, "", settings) === undefined)) {
    return deny(CONSENT_UNREADABLE, ["a Consent that cannot be read"]);
  }
  return async ({ status, resource }) => {
    if (status < 200 || status > 299) return undefined;
    // A conditional create that found one has stored nothing.
    if (interaction.code === "create" && status !== 201) return undefined;
    // Without a name it can never be taken back, but it is in force.
    const source =
      interaction.id === undefined ? (resource ?? `Consent of ${write.requestId}`) : `Consent/${interaction.id}`;
    try {
      await within(WRITE_DEADLINE_MS, put(registry, source, write, settings));
      return undefined;
    } catch {
      return CONSENT_NOT_RECORDED;
    }
  };
}

async function put(registry: ConsentRegistry, source: string, write: ConsentWrite, settings: ConsentSettings) {
  if (write.interaction.code === "delete") return registry.forget(source);
  const record = read(write, source, settings);
  if (record === undefined) throw new Error("the consent cannot be read");
  return registry.record(record);
}

function read({ body, baseUrls, now }: ConsentWrite, source: string, { categories, actorOf }: ConsentSettings) {
  return consentFromResource(body, source, {
    baseUrls,
    categories,
    now,
    ...(actorOf === undefined ? {} : { actorOf }),
  });
}
