// The key set of an authorisation server in a process of its own: `node issuer.mjs PORT FILE`. The file is read anew each time.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [, , port, file] = process.argv;
const server = createServer((_req, res) => {
  res.setHeader("Content-Type", "application/json");
  res.end(readFileSync(file, "utf8"));
});
server.listen(Number(port), "127.0.0.1", () => process.send?.("ready"));
process.once("disconnect", () => process.exit());
