import { isId, isResourceType, type ParsedReference, parseReference, patientsOf } from "@wardline/fhir-r4";
import fc from "fast-check";
import { expect, it } from "vitest";

const BASES = ["https://fhir.example.org/fhir", "https://old.example.org/r4/", "Patient"];
const LITERAL = /^([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/;

/** The same, slowly and straight from R4: a literal is what one expression says it is. */
function definition(reference: string): ParsedReference {
  const below = BASES.map((base) => base.replace(/\/$/, "")).find((base) => reference.startsWith(`${base}/`));
  const relative = literal(reference);
  if (relative !== undefined) return relative;
  if (/^#[A-Za-z0-9\-.]{1,64}$/.test(reference) && !/^#\.{1,2}$/.test(reference)) {
    return { kind: "contained", id: reference.slice(1) };
  }
  if (/^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/.test(reference)) return { kind: "urn", urn: reference };
  if (below !== undefined) return literal(reference.slice(below.length + 1)) ?? { kind: "invalid" };
  return /^[A-Za-z][A-Za-z0-9+\-.]*:/.test(reference) ? { kind: "external" } : { kind: "invalid" };
}

function literal(text: string): ParsedReference | undefined {
  const [, type = "", id = "", versionId] = LITERAL.exec(text) ?? [];
  if (!isResourceType(type) || id === "." || id === "..") return undefined;
  return { kind: "literal", type, id, ...(versionId === undefined ? {} : { versionId }) };
}

const PIECES =
  "Patient Observation patient Foo __proto__ constructor https: urn: urn:oid:1.2 1 a-b.c . .. %31 a_b é _history " +
  "_history/2 # ? \\ Patient/1 Observation/2/_history/3";
const piece = fc.constantFrom(...BASES, ...PIECES.split(" "), "", " ", "\n", "a".repeat(64), "a".repeat(65));
const text = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("/")),
  fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary" }),
);

it("a reference is read as R4 defines it, whatever it looks like", () => {
  fc.assert(
    fc.property(text, (reference) => {
      expect(parseReference(reference, { baseUrls: BASES })).toEqual(definition(reference));
    }),
    { numRuns: 5000 },
  );
});

it("whom a resource mentions does not depend on what was read before", () => {
  const reference = fc.oneof(
    text,
    fc.constantFrom("Patient/a", "Patient/b", "Patient/ab", "Group/a", "", "Patient/.."),
  );
  fc.assert(
    fc.property(fc.array(reference, { minLength: 1, maxLength: 20 }), (references) => {
      for (const one of references) {
        const read = definition(one);
        const expected = read.kind === "literal" && read.type === "Patient" ? [read.id] : [];
        const patients = patientsOf({ resourceType: "Observation", subject: { reference: one } }, { baseUrls: BASES });
        // Of what is no reference it tells whatever patient may be meant.
        if (read.kind !== "invalid") expect(patients).toEqual(expected);
      }
    }),
    { numRuns: 2000 },
  );
});

it("S5: an id is one of R4's, and no step up or aside in a path", () => {
  for (const id of ["a", "A-1.b", "...", "a".repeat(64)]) expect(isId(id)).toBe(true);
  for (const id of ["", ".", "..", "a/b", "a_b", "a b", "a\n", "é", "%2e", "a".repeat(65)])
    expect(isId(id)).toBe(false);
});
