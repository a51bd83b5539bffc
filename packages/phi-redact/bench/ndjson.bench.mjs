// Memory while an NDJSON export is redacted by the middleware on a real server: `node bench/ndjson.bench.mjs [megabytes]`,
// 500 unless told. The server runs in a process of its own, which reports its largest resident set.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { definitionsFolder } from "../generator/elements.mjs";

if (process.argv[2] === "server") await serve(Number(process.argv[3]));
else await measure(Number(process.argv.slice(2).find((one) => !one.startsWith("-")) ?? unlessQuick(500, 5)));

async function serve(bytes) {
  const { default: express } = await import("express");
  const { phiRedact } = await import("../dist/index.js");
  const folder = definitionsFolder();
  if (folder === undefined) throw new Error("hl7.fhir.r4.examples is not installed: there is nothing to export");
  const lines = ["Patient-example", "Observation-example", "Condition-example"].map(
    (name) => `${JSON.stringify(JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")))}\n`,
  );
  let largest = 0;
  let idle = 0;
  const app = express();
  app.use(phiRedact({ profile: "minimum-necessary" }));
  app.use((_req, res) => {
    res.setHeader("Content-Type", "application/fhir+ndjson");
    Readable.from(exported()).pipe(res);
  });
  function* exported() {
    for (let sent = 0, index = 0; sent < bytes; index++) {
      const line = lines[index % lines.length] ?? "";
      sent += line.length;
      if (index % 1000 === 0) largest = Math.max(largest, process.memoryUsage().rss);
      yield line;
    }
  }
  const server = app.listen(0, "127.0.0.1", () => {
    idle = process.memoryUsage().rss;
    process.send?.({ port: server.address().port });
  });
  process.on("message", () => {
    process.send?.({ largest, idle });
    server.close();
    process.disconnect();
  });
}

async function measure(megabytes) {
  const child = fork(import.meta.filename, ["server", String(megabytes * 1e6)]);
  const [{ port }] = await once(child, "message");
  const started = performance.now();
  const [answer] = await once(get({ port, host: "127.0.0.1", path: "/Patient" }), "response");
  let received = 0;
  let leaked = false;
  answer.on("data", (chunk) => {
    received += chunk.length;
    leaked ||= chunk.includes("<div");
  });
  await once(answer, "end");
  const seconds = (performance.now() - started) / 1000;
  child.send("end");
  const [{ largest, idle }] = await once(child, "message");
  console.log(
    `${megabytes} MB exported, ${(received / 1e6).toFixed(0)} MB received, ${leaked ? "WITH" : "no"} narratives, ${seconds.toFixed(0)} s, ` +
      `resident set ${(idle / 1e6).toFixed(0)} MB idle, ${(largest / 1e6).toFixed(0)} MB at most`,
  );
}
