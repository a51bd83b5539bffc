import { parseInteraction } from "@wardline/fhir-r4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accountedFor } from "../src/guard/includes.ts";
import type { JsonObject } from "../src/resource.ts";

interface Drawn {
  readonly type: string;
  readonly id: number;
  readonly isIncluded: boolean;
  readonly refersTo: readonly string[];
}

const TYPES = ["Observation", "Encounter", "Location"];
const REVERSE: Readonly<Record<string, string>> = {
  Observation: "Observation:encounter",
  Encounter: "Encounter:location",
  Location: "Location:partof",
};
const key = ({ type, id }: Drawn): string => `${type}/${id}`;

function entryOf(drawn: Drawn): JsonObject {
  const resource = {
    resourceType: drawn.type,
    id: String(drawn.id),
    extension: drawn.refersTo.map((reference) => ({ valueReference: { reference } })),
  };
  return { resource, search: { mode: drawn.isIncluded ? "include" : "match" } };
}

/** The definition, asked again for each pair: whom does a shown one name, who names it? */
function expected(drawn: readonly Drawn[], { forward, reverse, iterates }: Includes): string[] {
  const matches = drawn.filter(({ isIncluded }) => !isIncluded);
  const waiting = drawn.filter(
    (one, at) => one.isIncluded && !drawn.slice(0, at).some((other) => other.isIncluded && key(other) === key(one)),
  );
  const shown = [...matches];
  const sources = [...matches];
  for (let from = sources.shift(); from !== undefined; from = sources.shift()) {
    const { refersTo } = from;
    const own = key(from);
    const found = waiting.filter(
      (one) =>
        !shown.includes(one) &&
        ((forward && refersTo.includes(key(one))) || (reverse.includes(one.type) && one.refersTo.includes(own))),
    );
    found.sort((one, other) => (key(one) < key(other) ? -1 : 1));
    shown.push(...found);
    if (iterates) sources.push(...found);
  }
  return shown.map(key);
}

interface Includes {
  readonly forward: boolean;
  readonly reverse: readonly string[];
  readonly iterates: boolean;
}

function query({ forward, reverse, iterates }: Includes): string {
  const modifier = iterates ? ":iterate" : "";
  const named = forward ? [`_include${modifier}=Observation:encounter`] : [];
  return [...named, ...reverse.map((type) => `_revinclude${modifier}=${REVERSE[type] ?? ""}`)].join("&");
}

const shownOf = (entries: readonly JsonObject[], asked: Includes): string[] => {
  const interaction = parseInteraction({ method: "GET", path: "/Observation", query: query(asked) });
  const shown = accountedFor(entries, interaction, {});
  return shown.map(({ resource }) => {
    const { resourceType, id } = resource as { readonly resourceType: string; readonly id: string };
    return `${resourceType}/${id}`;
  });
};

describe("A2, A9: what a page shows on after a match was taken out", () => {
  const drawn = fc.record({
    type: fc.constantFrom(...TYPES),
    id: fc.integer({ min: 1, max: 4 }),
    isIncluded: fc.boolean(),
    refersTo: fc.array(
      fc.tuple(fc.constantFrom(...TYPES), fc.integer({ min: 1, max: 4 })).map((parts) => parts.join("/")),
      { maxLength: 3 },
    ),
  });
  const includes = fc.record({ forward: fc.boolean(), reverse: fc.subarray(TYPES), iterates: fc.boolean() });

  it("is what the shown ones account for, each once, in an order that they decide", () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 12 }), includes, (all, asked) => {
        expect(shownOf(all.map(entryOf), asked)).toEqual(expected(all, asked));
      }),
      { numRuns: 2000 },
    );
  });

  // In pairs, 400 million: half a minute.
  it("S10: is found for a page of 20,000 without looking at each pair", { timeout: 10_000 }, () => {
    const numbers = Array.from({ length: 20_000 }, (_, id) => id + 1);
    const observations = numbers.map((id) => ({
      type: "Observation",
      id,
      isIncluded: false,
      refersTo: [`Encounter/${id}`, "Location/1"],
    }));
    const encounters = numbers.map((id) => ({ type: "Encounter", id, isIncluded: true, refersTo: ["Location/1"] }));
    const hub = { type: "Location", id: 1, isIncluded: true, refersTo: [] };
    const asked = { forward: true, reverse: ["Encounter"], iterates: true };
    expect(shownOf([...observations, ...encounters, hub].map(entryOf), asked)).toHaveLength(40_001);
    const versions = numbers.map(() => ({ type: "Location", id: 1, isIncluded: false, refersTo: [] }));
    expect(shownOf([...versions, ...encounters].map(entryOf), { ...asked, forward: false })).toHaveLength(40_000);
  });
});
