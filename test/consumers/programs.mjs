// The consumers that differ in nothing but how they are written: a module system, a language, one package or all.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes them into a project beside the two that are written by hand, and gives what each compiles to. */
export function writePrograms(project, packages) {
  const config = JSON.parse(readFileSync(join(project, "tsconfig.json"), "utf8"));
  const written = [".mts", ".cts", ".mjs", ".cjs"].flatMap((extension) =>
    [[], packages].map((all) => {
      const file = `${all.length === 0 ? "single" : "all"}-${/ts$/.test(extension) ? "typescript" : "javascript"}${extension}`;
      writeFileSync(join(project, file), program(extension, all));
      return file;
    }),
  );
  Object.assign(config.compilerOptions, { allowJs: true, checkJs: true });
  config.files.push(...written);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
  return ["esm.mts", "cjs.cts", ...written].map((file) => file.replace(/ts$/, "js"));
}

function program(extension, all) {
  const others = all.map((name, at) => [`package${at}`, name]);
  const modules = [["smart", "@wardline/smart-auth"], ["support", "./support.cjs"], ...others];
  const brought = modules.map(([variable, from]) => bring(extension, variable, from)).join("\n");
  const counted = others.map(
    ([variable, name]) => `  if (Object.keys(${variable}).length === 0) throw new Error("${name}");`,
  );
  return `${extension.startsWith(".m") ? 'import express from "express";' : bring(extension, "express", "express")}
${brought}

async function main() {
  const baseUrl = "http://127.0.0.1/fhir";
  const issuer = await support.startIssuer(baseUrl);
  const issuers = [{ issuer: issuer.url, jwksUri: issuer.url + "/jwks", audience: [baseUrl] }];
${counted.join("\n")}
  const app = express();
  app.use("/fhir", smart.smartAuth({ baseUrl, issuers, development: true }));
  app.get("/fhir/Patient/:id", (req, res) => {
    res.json({ resourceType: "Patient", id: req.params.id });
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await support.proveGuarded("http://127.0.0.1:" + address.port, issuer.token());
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`;
}

function bring(extension, variable, from) {
  if (extension.startsWith(".m")) return `import * as ${variable} from "${from}";`;
  return `${extension === ".cts" ? "import" : "const"} ${variable} = require("${from}");`;
}
