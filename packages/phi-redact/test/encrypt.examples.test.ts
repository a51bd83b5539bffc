import type { Json } from "@wardline/policy-types/express";
import { expect, it } from "vitest";
import { decryptFields, fieldCipher } from "../src/encrypt/index.ts";
import { DEFAULT_RULES, defineProfile } from "../src/profile/rules.ts";
import { createRedactor } from "../src/redactor.ts";
import { memoryKeys } from "./encrypt.support.ts";
import { describeWithDefinitions, ordinaryExamples } from "./support/definitions.ts";

const ENCRYPTED = [
  "HumanName",
  "Address",
  "ContactPoint.value",
  "Identifier.value",
  "date",
  "dateTime",
  "Annotation.text",
  "Quantity",
];

/** Keeps what profiles usually remove, so that only encryption changes a resource. */
const profile = defineProfile({
  name: "encrypt-only",
  rules: [
    ...DEFAULT_RULES.map(({ path }) => ({ path, action: "keep" as const })),
    ...ENCRYPTED.map((path) => ({ path, action: "encrypt" as const })),
  ],
});

describeWithDefinitions("the official examples, encrypted in the walk and decrypted by a reader", (folder) => {
  it("come back as they were", async () => {
    const keys = memoryKeys();
    const cipher = fieldCipher({ keys });
    await cipher.prepare();
    const { redact } = createRedactor({ profile, cipher });
    let encrypted = 0;
    let compared = 0;
    for (const example of ordinaryExamples(folder)) {
      if (Array.isArray(example["entry"]) && example["entry"].length > 100) continue;
      const sealed = redact(example as Json);
      if (sealed === undefined) continue;
      encrypted += JSON.stringify(sealed).split("urn:wardline:encrypted-field").length - 1;
      const opened = await decryptFields(sealed, { keys, permits: () => true });
      expect(content(opened)).toEqual(content(example as Json));
      compared += 1;
    }
    console.log(`${compared} examples compared, ${encrypted} fields encrypted`);
    expect(compared).toBeGreaterThan(700);
    expect(encrypted).toBeGreaterThan(4000);
  }, 60_000);
});

/**
 * Without labels, and of a Bundle the resources: the engine has rules of its own for links and request URLs, and with an
 * encrypted value it drops what else its `_name` held.
 */
function content(value: Json): Json {
  if (Array.isArray(value)) return value.map(content);
  if (value === null || typeof value !== "object") return value;
  const isBundle = value["resourceType"] === "Bundle";
  const members = Object.entries(value).filter(([name]) =>
    isBundle ? name === "entry" : name !== "meta" && !(name.startsWith("_") && name.slice(1) in value),
  );
  return Object.fromEntries(members.map(([name, member]) => [name, isBundle ? resourcesOf(member) : content(member)]));
}

function resourcesOf(entries: Json): Json {
  if (!Array.isArray(entries)) return entries;
  return entries.map((entry) =>
    entry !== null && typeof entry === "object" && !Array.isArray(entry) ? content(entry["resource"] ?? null) : null,
  );
}
