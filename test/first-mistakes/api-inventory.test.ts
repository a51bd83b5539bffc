import { type ApiInventoryOptions, apiDocuments, apiInventory } from "@wardline/api-inventory";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const start = (options: unknown) => () => apiInventory(options as ApiInventoryOptions);
const entry = { id: "fhir", path: "/fhir", zone: "patient", apiType: "patient-access", methods: ["GET"] };
const withEntry = (change: object) => start({ entries: [{ ...entry, ...change }] });

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no options": [start(undefined), "give an object; known options are"],
    "no entry": [start({ entries: [] }), "entries: give a list with at least one entry"],
    "a misspelled member": [withEntry({ owners: "interop" }), "did you mean `owner`?"],
    "a misspelled zone": [withEntry({ zone: "patients" }), "use patient, internal, partner, device"],
    "a method in small letters": [withEntry({ methods: ["get"] }), "no such word here, did you mean `GET`?"],
    "a path with a slash too many": [withEntry({ path: "fhir/" }), "begin with a slash and end without one"],
    "an id twice": [start({ entries: [entry, { ...entry, path: "/other" }] }), "give every entry an id of its own"],
    "a path twice": [start({ entries: [entry, { ...entry, id: "other" }] }), "entries[0] claims it too"],
    "a retirement without notice": [
      withEntry({ deprecated: "2026-12-01", retired: "2027-01-01" }),
      "retire it at least 12 months after `deprecated`",
    ],
    "a date of another country": [
      withEntry({ deprecated: "01.12.2026" }),
      "write 2026-11-01, or an instant with its time zone",
    ],
    "documents without a title": [() => apiDocuments({ entries: [], title: "", version: "1" }), "title: give a text"],
  });
});
