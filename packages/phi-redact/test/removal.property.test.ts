import { RESOURCE_TYPES } from "@wardline/fhir-r4";
import type { Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { expect, it } from "vitest";
import { isPrimitiveType, typeDefinition } from "../src/definitions.ts";
import { createRedactor, type RedactionRule } from "../src/index.ts";
import { PSEUDONYMS, SPY_CIPHER } from "./support/values.ts";

type JsonObject = { [name: string]: Json };
const TYPES = RESOURCE_TYPES.filter((type) => type !== "Bundle" && type !== "Parameters" && type !== "Binary");
const TEXT = new Set(["string", "markdown", "uri", "url", "code", "id", "canonical", "date", "dateTime", "xhtml"]);
/** Where every profile removes; the rules drawn here are about other places. */
const NEVER = new Set([
  "id",
  "meta",
  "implicitRules",
  "language",
  "text",
  "contained",
  "extension",
  "modifierExtension",
]);

/** A resource all of whose texts are different, so that one that stays can be told from all others. */
function generate(type: string, seed: () => number, next: { text: number }, depth: number): JsonObject {
  const isResource = RESOURCE_TYPES.includes(type);
  const object: JsonObject = isResource ? { resourceType: type } : {};
  for (const [name, element] of typeDefinition(type, isResource) ?? []) {
    if (NEVER.has(name) && !(isResource && name === "contained")) continue;
    if (seed() % 3 === 0) continue;
    const one = (): Json | undefined => {
      if (element.type === "Resource") return depth > 3 ? undefined : generate("Patient", seed, next, depth + 2);
      if (TEXT.has(element.type)) return `zq${next.text++}zq`;
      if (isPrimitiveType(element.type)) return undefined;
      return depth > 4 ? undefined : generate(element.type, seed, next, depth + 1);
    };
    const value = one();
    if (value === undefined) continue;
    object[name] = seed() % 2 === 0 || name === "div" ? value : [value];
    if (isPrimitiveType(element.type) && seed() % 4 === 0) {
      object[`_${name}`] = { extension: [{ url: "http://kept.example", valueString: `zq${next.text++}zq` }] };
    }
  }
  return object;
}

/** The slow, obvious meaning of a path: every text below it, in every resource of the type. */
function textsBelow(node: Json, steps: readonly string[]): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item) => textsBelow(item, steps));
  if (node === null || typeof node !== "object") return [];
  const [type, ...names] = steps;
  const here = node["resourceType"] === type ? below(node, names) : [];
  return [...here, ...Object.values(node).flatMap((value) => textsBelow(value, steps))];
}

function below(node: Json, names: readonly string[]): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item) => below(item, names));
  const [name, ...rest] = names;
  if (name === undefined) return JSON.stringify(node).match(/zq\d+zq/g) ?? [];
  if (node === null || typeof node !== "object") return [];
  return [name, `_${name}`].flatMap((key) => (node[key] === undefined ? [] : below(node[key], rest)));
}

/** Paths that lead to something in the resource. */
function pathsIn(resource: JsonObject, type: string): readonly string[] {
  const paths = new Set<string>();
  const visit = (node: Json, path: string): void => {
    if (Array.isArray(node)) for (const item of node) visit(item, path);
    else if (node !== null && typeof node === "object") {
      for (const [name, value] of Object.entries(node)) {
        if (name === "resourceType" || name === "contained" || name.startsWith("_")) continue;
        paths.add(`${path}.${name}`);
        visit(value, `${path}.${name}`);
      }
    }
  };
  visit(resource, type);
  return [...paths];
}

function draw(numbers: fc.Stream<number>): () => number {
  return () => {
    const next = numbers.next() as IteratorResult<number, undefined>;
    return next.value ?? 0;
  };
}

it("no string of a removed, masked or encrypted element appears anywhere in the output; a second pass changes nothing", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...TYPES),
      fc.infiniteStream(fc.nat()),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("remove" as const, "mask" as const, "encrypt" as const)), {
        minLength: 1,
        maxLength: 4,
      }),
      (type, numbers, picks) => {
        const resource = generate(type, draw(numbers), { text: 0 }, 0);
        const paths = pathsIn(resource, type);
        fc.pre(paths.length > 0);
        const rules = new Map<string, RedactionRule>();
        for (const [pick, action] of picks) {
          const path = paths[pick % paths.length] ?? "";
          if (!/\.(id|div)$/.test(path)) rules.set(path, { path, action });
        }
        fc.pre(rules.size > 0);
        const profile = {
          name: "drawn",
          rules: [...rules.values(), { path: "Element.extension('http://kept.example')", action: "keep" as const }],
        };
        const { redact } = createRedactor({ profile, cipher: SPY_CIPHER, pseudonyms: PSEUDONYMS });
        const before = JSON.stringify(resource);
        const after = redact(resource) as Json;
        expect(JSON.stringify(resource)).toBe(before);
        const left = new Set(JSON.stringify(after).match(/zq\d+zq/g));
        for (const { path } of rules.values()) {
          const gone = textsBelow(resource, path.split("."));
          compared += gone.length;
          expect(gone.filter((text) => left.has(text))).toEqual([]);
        }
        expect(redact(after)).toBe(after);
      },
    ),
    { numRuns: 400 },
  );
  expect(compared).toBeGreaterThan(400);
});

it("what no rule speaks about stays as it was, down to the object", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), fc.infiniteStream(fc.nat()), (type, numbers) => {
      const resource = generate(type, draw(numbers), { text: 0 }, 0);
      expect(createRedactor({ profile: "full" }).redact(resource)).toBe(resource);
    }),
    { numRuns: 100 },
  );
});

it("a resource nobody could have made is thrown out or redacted, never let through as it is", () => {
  const { redact } = createRedactor({ profile: "safe-harbor" });
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), fc.dictionary(fc.string(), fc.jsonValue()), (resourceType, content) => {
      const secret = "zq-never";
      const after = redact({
        ...(content as JsonObject),
        note: [{ text: secret }],
        name: secret,
        resourceType,
      } as Json);
      expect(JSON.stringify(after ?? null)).not.toContain(secret);
    }),
    { numRuns: 200 },
  );
});
