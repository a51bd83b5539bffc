import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Answer, listenOnPort } from "@wardline-tools/test-kit";
import express from "express";
import { describe, expect, it } from "vitest";
import { clientErrorHandler, perimeter } from "../src/index.ts";
import { parseRaw, sendRaw } from "./support/raw.ts";

const FILE = fileURLToPath(new URL("../../../../shared/vectors/waf/protocol.json", import.meta.url));

interface Row {
  readonly id: string;
  readonly input: {
    readonly method?: string;
    readonly uri?: string;
    readonly version?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly data?: string;
    readonly rawBase64?: string;
  };
  readonly expect: { readonly must: "flag" | "pass" };
  readonly rules: readonly string[];
}

/** The rules of the set that are about what this package judges: request line, framing, Host, encodings, line breaks. */
const OURS: ReadonlySet<string> = new Set(
  "920160 920170 920250 920260 920270 920271 920280 920430 920610 920650 921120 921150 921151 921160 921190".split(" "),
);
/** Rules about headers: ours are deleted before anybody reads them. */
const DELETED: ReadonlySet<string> = new Set(["920450", "920660", "921250"]);
/** Requests the set would let pass, and why we do not. */
const STRICTER: ReadonlySet<string | undefined> = new Set([
  "perimeter/target-form",
  "perimeter/target-fragment",
  "perimeter/target-encoding",
  "perimeter/method-override",
  "perimeter/request-unreadable",
]);

describe.skipIf(!existsSync(FILE))(
  "protocol requests of the OWASP CRS (skipped where the shared vectors are absent)",
  () => {
    const rows = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Row[]) : [];
    const about = (row: Row, rules: ReadonlySet<string>): boolean => row.rules.some((rule) => rules.has(rule));
    const inTheHead = ({ input }: Row): boolean => input.method !== "POST" || input.data === undefined;

    async function answers(chosen: readonly Row[]): Promise<(readonly [Row, Answer])[]> {
      const app = express();
      app.use(perimeter({ development: true }), (req, res) => void res.json(req.headers));
      const timeouts = { requestTimeout: 300, headersTimeout: 200, connectionsCheckingInterval: 50 };
      const port = await listenOnPort(app, timeouts, (server) => server.on("clientError", clientErrorHandler));
      return Promise.all(chosen.map(async (row) => [row, parseRaw(await sendRaw(port, bytesOf(row)))] as const));
    }

    it("what must be flagged, in the request line and the framing, is refused", async () => {
      const chosen = rows.filter((row) => row.expect.must === "flag" && about(row, OURS) && inTheHead(row));
      expect(chosen.length).toBeGreaterThan(20);
      const passed = (await answers(chosen)).filter(([, { status }]) => status < 400);
      // Its NUL is in Referer, which is deleted unread.
      expect(passed.map(([{ id }]) => id).filter((id) => id !== "waf/920270-5")).toEqual([]);
    });

    it("suspicious headers do not reach a handler", async () => {
      const chosen = rows.filter((row) => row.expect.must === "flag" && about(row, DELETED));
      expect(chosen.length).toBeGreaterThan(5);
      for (const [{ id }, { status, text: body }] of await answers(chosen)) {
        const names = status === 200 ? Object.keys(JSON.parse(body) as object) : [];
        expect([id, names.filter((name) => /^(?:request-range|lock-token|content-range|cookie)$/.test(name))]).toEqual([
          id,
          [],
        ]);
      }
    });

    it("what must pass does, unless we are stricter on purpose", async () => {
      const refused = (await answers(rows.filter((row) => row.expect.must === "pass"))).filter(
        ([, { status }]) => status !== 200,
      );
      expect(refused.filter(([, { code }]) => !STRICTER.has(code))).toEqual([]);
      expect(refused.length).toBeLessThanOrEqual(12);
    });
  },
);

/** A row as bytes on the wire. */
function bytesOf({ input }: Row): Buffer {
  if (input.rawBase64 !== undefined) return Buffer.from(input.rawBase64, "base64");
  const { method = "GET", uri = "/", version = "HTTP/1.1", headers = {}, data } = input;
  const framed = Object.keys(headers).some((name) => /^(?:content-length|transfer-encoding)$/i.test(name));
  const length = data === undefined || framed ? "" : `Content-Length: ${Buffer.byteLength(data)}\r\n`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${uri} ${version}\r\n${lines.join("")}${length}Connection: close\r\n\r\n${data ?? ""}`);
}
