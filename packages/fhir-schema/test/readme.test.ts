import { readFile } from "node:fs/promises";
import { ask, listen } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { app } from "./readme.example.ts";

it("the README's example is the one that runs here", async () => {
  const example = await readFile(new URL("readme.example.ts", import.meta.url), "utf8");
  expect(await readFile(new URL("../README.md", import.meta.url), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\``);

  const origin = await listen(app);
  expect((await ask(`${origin}/fhir/Patient?name=a&birthsex=F`)).status).toBe(200);
  expect((await ask(`${origin}/fhir/Patient?surname=a`)).code).toBe("fhir-schema/query-invalid");
  const headers = { "content-type": "application/fhir+json" };
  const posted = (body: object) =>
    ask(`${origin}/fhir/Patient`, { method: "POST", headers, body: JSON.stringify(body) });
  expect((await posted({ resourceType: "Patient", active: true })).status).toBe(201);
  expect((await posted({ resourceType: "Patient", active: "yes" })).code).toBe("fhir-schema/resource-invalid");
});
