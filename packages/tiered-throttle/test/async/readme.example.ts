import { contextOf } from "@wardline/policy-types/express";
import { asyncOperations } from "@wardline/tiered-throttle";

export const exports = asyncOperations({
  baseUrl: "https://fhir.example.org/fhir",
  folder: process.env["EXPORTS"] ?? "exports",
  // Or, in front of a server that exports by itself: run: proxyExport({ baseUrl: "http://fhir.internal/fhir" })
  async run(job, { signal, progress, output }) {
    const types = new URLSearchParams(job.asked.url.split("?")[1]).get("_type")?.split(",") ?? ["Patient"];
    for (const [at, type] of types.entries()) {
      signal.throwIfAborted();
      await output(type).write({ resourceType: type, id: "example" });
      progress((at + 1) / types.length);
    }
  },
  tierOf: (req) => (contextOf(req).zone === "partner" ? "partner" : "ordinary"),
  tiers: { ordinary: { concurrency: 2, waiting: 100, perOrganisation: 5 }, partner: { concurrency: 1 } },
});
// At the FHIR base, after smartAuth(): app.use("/fhir", exports);
