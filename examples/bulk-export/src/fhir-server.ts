import express, { type Express } from "express";
import type { Resource } from "./data.ts";

export interface ExportingServer {
  readonly app: Express;
  /** Exports last until this is called: a big hospital, at will. */
  release(): void;
  /** Exports that were begun here. */
  readonly begun: () => number;
  /** Exports that were asked to stop, or whose files are no longer needed. */
  readonly ended: () => number;
}

const NDJSON = "application/fhir+ndjson";

/**
 * A FHIR server that exports by itself, whatever was asked and whoever asks: one file for each type. In production, your
 * FHIR server.
 *
 * @see https://hl7.org/fhir/uv/bulkdata/STU2/export.html
 */
export function exportingServer(resources: readonly Resource[]): ExportingServer {
  const types = [...new Set(resources.map(({ resourceType }) => resourceType))];
  let isHeld = true;
  let begun = 0;
  let ended = 0;

  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.get(["/r4/\\$export", "/r4/:type/\\$export", "/r4/:type/:id/\\$export"], (req, res) => {
    begun += 1;
    res
      .status(202)
      .set("Content-Location", `${baseOf(req)}/jobs/${begun}`)
      .end();
  });
  app.get("/r4/jobs/:job", (req, res) => {
    if (isHeld) return void res.status(202).set("Retry-After", "1").end();
    const output = types.map((type) => ({ type, url: `${baseOf(req)}/files/${type}` }));
    res.json({ transactionTime: new Date().toISOString(), request: "", requiresAccessToken: false, output, error: [] });
  });
  app.delete("/r4/jobs/:job", (_req, res) => {
    ended += 1;
    res.status(202).end();
  });
  app.get("/r4/files/:type", (req, res) => {
    const lines = resources.filter(({ resourceType }) => resourceType === req.params.type);
    res.set("Content-Type", NDJSON).end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  return {
    app,
    release() {
      isHeld = false;
    },
    begun: () => begun,
    ended: () => ended,
  };
}

function baseOf({ headers }: express.Request): string {
  return `http://${headers.host ?? ""}/r4`;
}
