import { expect, it } from "vitest";
import type { InventoryEntry } from "../src/index.ts";
import { createClaimOf } from "../src/match.ts";
import { FHIR, ROUTE } from "./support/records.ts";

const WRITES: InventoryEntry = {
  ...FHIR,
  id: "writes",
  interactions: ["update", "delete", "batch"],
  operations: ["export"],
  types: ["Patient"],
};
const NESTED: InventoryEntry = { ...FHIR, id: "nested", path: "/fhir/v2", interactions: ["read"], operations: [] };
const claimOf = createClaimOf([FHIR, WRITES, NESTED, ROUTE]);

it.each<[method: string, path: string, query: string, claim: string | undefined]>([
  ["GET", "/fhir/Patient/1", "", "fhir read"],
  ["HEAD", "/fhir/Patient/1", "", "fhir read"],
  ["GET", "/fhir/Patient/1", "nonsense=%", "fhir read"],
  ["GET", "/fhir/Patient", "name=x", "fhir search-type"],
  ["PUT", "/fhir/Patient/1", "_format=json", "writes update"],
  ["PUT", "/fhir/Patient", "identifier=1", "writes update"],
  ["PUT", "/fhir/Patient", "", "fhir unknown undeclared"],
  ["PUT", "/fhir/Observation/1", "", "fhir update undeclared"],
  ["POST", "/fhir", "", "writes batch"],
  ["POST", "/fhir/", "", "writes batch"],
  ["POST", "/fhir/Patient/$everything", "", "fhir operation everything"],
  ["GET", "/fhir/Patient/$export", "", "writes operation export"],
  ["GET", "/fhir/Observation/1/$everything", "", "fhir operation everything undeclared"],
  ["GET", "/fhir/.well-known/smart-configuration", "", "fhir capabilities"],
  ["GET", "/fhir/%50atient/1", "", "fhir read"],
  ["GET", "/fhir/../admin", "", "fhir unknown undeclared"],
  ["GET", "/fhir/v2/Patient/1", "", "nested read"],
  ["GET", "/fhir/v2/Patient", "", "nested search-type undeclared"],
  ["GET", "/fhirx/Patient/1", "", undefined],
  ["GET", "/", "", undefined],
  ["GET", "/slots/1", "", "slots unknown"],
  ["HEAD", "/slots/1/", "", "slots unknown"],
  ["DELETE", "/slots/1", "", "slots unknown undeclared"],
  ["GET", "/slots/", "", undefined],
  ["GET", "/slots/1/2", "", undefined],
  ["GET", "/Slots/1", "", undefined],
])("%s %s?%s is %s", (method, path, query, expected) => {
  const claim = claimOf({ method, path, query });
  const { entry, interaction, operation, declared } = claim ?? {};
  const shown =
    claim &&
    [entry?.id, interaction, operation, declared === true ? undefined : "undeclared"]
      .filter((word) => word !== undefined)
      .join(" ");
  expect(shown).toBe(expected);
});

it("at the root of a server", () => {
  const atRoot = createClaimOf([{ ...FHIR, path: "/" }]);
  expect(atRoot({ method: "GET", path: "/Patient/1" })).toMatchObject({ interaction: "read", declared: true });
  expect(atRoot({ method: "GET", path: "/.well-known/smart-configuration" })?.declared).toBe(true);
});
