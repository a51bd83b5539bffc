// A FHIR server in a process of its own, so that it can be killed and frozen: `node upstream.mjs PORT`.
import { createServer } from "node:http";

const PATIENT = { resourceType: "Patient", id: "a", name: [{ family: "Family" }] };
const OBSERVATION = {
  resourceType: "Observation",
  id: "oa",
  status: "final",
  code: { text: "weight" },
  subject: { reference: "Patient/a" },
};
const FOUND = { "Patient/a": PATIENT, "Observation/oa": OBSERVATION };

function answerOf(method, path) {
  if (method === "POST") return [201, { ...OBSERVATION, id: "new" }];
  const found = FOUND[path.replace(/^\/r4\//, "")];
  if (found !== undefined) return [200, found];
  if (path === "/r4/Observation") {
    return [200, { resourceType: "Bundle", type: "searchset", total: 1, entry: [{ resource: OBSERVATION }] }];
  }
  return [404, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] }];
}

const server = createServer((req, res) => {
  req.resume().once("end", () => {
    const [status, body] = answerOf(req.method, (req.url ?? "").split("?")[0]);
    res.writeHead(status, { "Content-Type": "application/fhir+json" });
    res.end(JSON.stringify(body));
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.("ready"));
process.once("disconnect", () => process.exit());
