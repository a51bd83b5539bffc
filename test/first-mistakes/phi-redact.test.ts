import { type PhiRedactOptions, phiRedact } from "@wardline/phi-redact";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const start = (options: unknown) => () => phiRedact(options as PhiRedactOptions);

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no options": [start(undefined), "give an object; known options are"],
    "no profile": [start({}), "profile: give a profile: minimum-necessary,"],
    "a misspelled profile": [start({ profile: "minimum-necesary" }), "known profiles are minimum-necessary,"],
    "a category nobody knows": [
      start({ profile: "full", sensitive: [{ category: "substance", fate: "drop" }] }),
      "known categories are hiv, psychiatric, substance-use",
    ],
    "a fate nobody knows": [
      start({ profile: "full", sensitive: [{ category: "hiv", fate: "remove" }] }),
      "a category is dropped, redacted or encrypted",
    ],
    "an element R4 has not": [
      start({ profile: { name: "own", rules: [{ path: "Patient.nam", action: "mask" }] } }),
      "R4 has no element `nam` there, did you mean `name`?",
    ],
    "an action nobody knows": [
      start({ profile: { name: "own", rules: [{ path: "Patient.name", action: "hide" }] } }),
      "known actions are keep, remove, mask",
    ],
    "pseudonyms without keys": [
      start({ profile: { name: "own", rules: [{ path: "Patient.id", action: "pseudonymise" }] } }),
      "pseudonyms: a rule pseudonymises: give the keys",
    ],
    "FHIR and plain JSON at once": [
      start({ profile: "full", json: [{ path: "$.name", action: "remove" }] }),
      "a route is FHIR with profiles, or plain JSON with `json` rules",
    ],
    "a misspelled condition": [
      start({ profiles: [{ when: { role: ["x"] }, profile: "full" }] }),
      "did you mean `roles`?",
    ],
  });
});
