import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Json } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { createRedactor, type RedactionRule } from "../src/index.ts";
import { parsePath } from "../src/profile/paths.ts";
import { PSEUDONYMS, visitStrings } from "./support/values.ts";

const FOLDER = new URL("../../../../shared/vectors/redaction/", import.meta.url);
const there = existsSync(fileURLToPath(new URL("pairs.json", FOLDER)));
const read = <Value>(name: string): Value =>
  JSON.parse(readFileSync(fileURLToPath(new URL(name, FOLDER)), "utf8")) as Value;

interface Pair {
  readonly id: string;
  readonly input: { readonly rules: string; readonly resource: { [name: string]: Json } };
  readonly expect: { readonly resource: Json; readonly gone: readonly string[] };
}
interface SourceRule {
  readonly path: string;
  readonly method: string;
  readonly replaceWith?: Json;
}

/**
 * Why a pair is not reproduced: that program goes on where a rule fails in a resource, and empties it; here nothing is sent
 * that cannot be judged (S12), so there is no rule that fails and is skipped.
 */
const NOT_OURS: ReadonlySet<string> = new Set(["configuration-skip-processing-error"]);

/** The same rule in our words; none for a filter (`where`) and for elements R4 does not have. */
function translated({ path, method, replaceWith }: SourceRule): readonly RedactionRule[] {
  const [, scoped, rest = ""] = /^(?:\w+\.)?nodesByType\('(\w+)'\)(.*)$/.exec(path) ?? [];
  const ours = scoped === undefined ? path : scoped + rest;
  const rule = (where: string, action: RedactionRule["action"]): readonly RedactionRule[] => {
    const parsed = parsePath(where);
    return typeof parsed === "string" ? [] : [{ path: where, action }];
  };
  switch (method) {
    case "keep":
      return rule(ours, "keep");
    case "redact":
      return ours === "Extension" ? rule("Element.extension", "remove") : rule(ours, "remove");
    case "substitute":
      return rule(ours, { replace: replaceWith ?? null });
    case "cryptoHash":
      return rule(ours === "Observation.subject" ? "Observation.subject.reference" : ours, "pseudonymise");
    default:
      // They shift dates by days of their own; ours keep the year.
      return rule(ours, "generalise");
  }
}

function at(value: Json | undefined, pointer: string): Json | undefined {
  return pointer
    .split("/")
    .slice(1)
    .reduce<Json | undefined>((node, part) => (node as Record<string, Json> | undefined)?.[part], value);
}

describe.skipIf(!there)(
  "pairs of the Tools for Health Data Anonymization (skipped where the shared vectors are absent)",
  () => {
    const pairs = there ? read<readonly Pair[]>("pairs.json") : [];
    const sets = there ? read<Record<string, { readonly fhirPathRules: readonly SourceRule[] }>>("rules.json") : {};
    const ours = pairs.filter(({ input }) => !NOT_OURS.has(input.rules));

    it("are sixteen, and two are not ours", () => expect([pairs.length, ours.length]).toEqual([16, 14]));

    it.each(ours.map((pair) => [pair.id, pair] as const))(
      "%s: what is gone there is gone here",
      (_id, { input, expect: wanted }) => {
        const source = sets[input.rules]?.fhirPathRules ?? [];
        // "Resource: redact" leaves an empty shell there; here a resource of which nothing may leave does not leave.
        const everything = source.some(({ path, method }) => path === "Resource" && method === "redact");
        const seen = new Set<string>();
        const rules = source.flatMap(translated).filter(({ path }) => !seen.has(path) && seen.add(path) !== undefined);
        const profile = everything ? { name: "none", only: ["Basic.id"] } : { name: input.rules, rules };
        const { redact } = createRedactor({ profile, pseudonyms: PSEUDONYMS });
        const after = redact(input.resource);

        const may = new Set<string>();
        visitStrings(wanted.resource, (_place, value) => may.add(value));
        const left = new Set<string>();
        visitStrings(after, (_place, value) => left.add(value));
        // A Bundle is no data of its own here: it stays, with its type and id, around the entries that may leave.
        const frame = everything && input.resource["resourceType"] === "Bundle" ? ["/id", "/type"] : [];
        const gone = wanted.gone
          .filter((pointer) => !frame.includes(pointer))
          .map((pointer) => at(input.resource, pointer))
          .filter((value) => typeof value === "string");
        expect(gone.filter((value) => left.has(value) && !may.has(value))).toEqual([]);
        if (after !== undefined) expect(redact(after)).toBe(after);
      },
    );

    it.each(ours.filter(({ input }) => input.rules.startsWith("substitute")).map((pair) => [pair.id, pair] as const))(
      "%s: what is substituted there is substituted here",
      (_id, { input }) => {
        const rules = (sets[input.rules]?.fhirPathRules ?? []).flatMap(translated);
        const after = JSON.stringify(createRedactor({ profile: { name: "x", rules } }).redact(input.resource));
        const whole = rules.find(({ path }) => path === "Patient.name") ?? rules[0];
        const by = typeof whole?.action === "object" && "replace" in whole.action ? whole.action.replace : null;
        // Of a rule for an element and one for a part of it, there both are applied in order; here the element is replaced whole.
        expect(after).toContain(JSON.stringify(by));
      },
    );
  },
);
