import { readFileSync } from "node:fs";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { fhirSchema, validateResource } from "../src/index.ts";

interface Bundle {
  readonly entry: readonly { readonly resource: Readonly<Record<string, unknown>>; readonly request: object }[];
}

/**
 * Bundles in the shape of Synthea's R4 exporter: US Core extensions, urn:uuid references, conditional references to what
 * the information Bundles hold, contained resources, Provenance. All values are made up.
 */
const { transaction, information } = JSON.parse(
  readFileSync(new URL("vectors/synthea-shape.json", import.meta.url), "utf8"),
) as { readonly transaction: Bundle; readonly information: Bundle };

describe.each(EXPRESS)("what Synthea exports, on %s", (_name, express) => {
  it("passes whole, and resource by resource", async () => {
    for (const { resource } of [...transaction.entry, ...information.entry]) {
      expect(validateResource(resource), resource["resourceType"] as string).toEqual([]);
    }
    const app = express();
    app.use("/fhir", fhirSchema(), (_req, res) => void res.json({ resourceType: "Bundle", type: "batch-response" }));
    const base = `${await listen(app)}/fhir`;
    const send = (body: object) =>
      ask(base, { method: "POST", headers: { "content-type": "application/fhir+json" }, body: JSON.stringify(body) });
    expect((await send(transaction)).status).toBe(200);
    expect((await send(information)).status).toBe(200);

    const [first, ...others] = information.entry;
    const bad = { ...first, request: { ...first?.request, ifNoneExist: "identifire=x" } };
    expect((await send({ ...information, entry: [bad, ...others] })).code).toBe("fhir-schema/query-invalid");
  });

  it("is refused with a conditional reference to what is no type, or under no condition", () => {
    for (const reference of ["Practitionr?identifier=x", "Practitioner?", "?identifier=x"]) {
      const [, visit] = transaction.entry;
      const broken = { ...visit?.resource, serviceProvider: { reference } };
      expect(validateResource(broken), reference).toMatchObject([
        { severity: "error", expression: "Encounter.serviceProvider.reference" },
      ]);
    }
  });
});
