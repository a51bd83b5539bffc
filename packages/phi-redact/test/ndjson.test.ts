import { Readable } from "node:stream";
import { EXPRESS, listen } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { phiRedact } from "../src/index.ts";

const PATIENT = { resourceType: "Patient", id: "1", name: [{ family: "y".repeat(2000) }] };
const LINE = `${JSON.stringify({ ...PATIENT, text: { status: "generated", div: "<div>xxx</div>" } })}\n`;

it.each(EXPRESS)(
  "%s: an export is redacted while it is read, never as a whole (`bench/ndjson.bench.mjs` shows 500 MB)",
  async (_name, express) => {
    const lines = 20_000;
    let made = 0;
    let received = 0;
    let furthest = 0;
    const app = express();
    app.use(phiRedact({ profile: "minimum-necessary" }), (_req, res) => {
      res.setHeader("Content-Type", "application/fhir+ndjson");
      Readable.from(
        (function* () {
          for (; made < lines; made++) {
            furthest = Math.max(furthest, made - received);
            yield LINE;
          }
        })(),
      ).pipe(res);
    });
    const answer = await fetch(`${await listen(app)}/Patient`);
    let text = "";
    for await (const chunk of answer.body ?? []) {
      const piece = Buffer.from(chunk).toString();
      expect(piece).not.toContain("xxx");
      text = text.length < 3000 ? text + piece : text;
      received += piece.split("\n").length - 1;
    }
    expect([made, received]).toEqual([lines, lines]);
    expect(JSON.parse(text.split("\n")[0] ?? "")).toMatchObject({
      ...PATIENT,
      meta: { tag: [{ code: "SUBSETTED" }] },
    });
    // What is made and not yet received: buffers of the socket, not the export of 40 MB.
    expect(furthest).toBeLessThan(lines / 2);
  },
);
