import { observation, patient } from "./backend.ts";
import type { Edge } from "./edge.ts";

/** A server that exports by itself. One of its files holds a line it should not. */
export function exportByItself({ backend }: Pick<Edge, "backend">): { release: () => void } {
  let isDone = false;
  const ndjson = (...lines: object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const files: Record<string, string> = {
    "/r4/files/patients": ndjson(patient("a") as object, observation("stray", "a") as object, patient("b") as object),
    "/r4/files/observations": ndjson(observation("oa", "a") as object),
    "/r4/files/conditions": ndjson({ resourceType: "Condition", id: "not-granted" }),
  };
  backend.answer = (req, res) => {
    const { url = "" } = req;
    const file = files[url];
    if (file !== undefined) return void res.writeHead(200, { "Content-Type": "application/fhir+ndjson" }).end(file);
    if (url.startsWith("/r4/$export")) {
      return void res.writeHead(202, { "Content-Location": `${backend.url}/jobs/7` }).end();
    }
    if (req.method === "DELETE") return void res.writeHead(202).end();
    if (!isDone) return void res.writeHead(202, { "X-Progress": "50%", "Retry-After": "1" }).end();
    const output = [
      { type: "Patient", url: `${backend.url}/files/patients` },
      { type: "Observation", url: `${backend.url}/files/observations` },
      { type: "Condition", url: `${backend.url}/files/conditions` },
    ];
    const manifest = { transactionTime: "2026-01-02T03:04:05Z", requiresAccessToken: false, output, error: [] };
    res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(manifest));
  };
  return {
    release: () => {
      isDone = true;
    },
  };
}
