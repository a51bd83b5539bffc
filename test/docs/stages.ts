import { randomBytes } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openUsageJournal } from "@wardline/api-inventory";
import { servePolicy } from "@wardline/gateway";
import { freePort, writeStarterFiles } from "@wardline-tools/test-kit";
import { startIssuer } from "../edge/support/issuer.ts";
import { copyDesk, PASSPHRASE, prepare } from "./desk.ts";
import type { ShellOptions } from "./shell.ts";
import { blocksOf, ROOT } from "./support.ts";

/** What stands on a page and where its reader stands. */
export interface Stage extends Omit<ShellOptions, "programs"> {
  readonly close?: () => Promise<void>;
}

/** Makes a page's stage in an empty folder. `desk` is the one of {@link makeDesk}. */
export type Prepare = (folder: string, desk: string, page: string) => Promise<Stage>;

const ANSWERS = ["--upstream", "https://ehr.example/r4", "--public-origin", "https://fhir.example"];
const ISSUER = "https://id.example";

const atDesk: Prepare = async (folder, desk) => ({
  replaced: copyDesk(desk, folder),
  folder: join(folder, "desk"),
  environment: { WARDLINE_PASSPHRASE: PASSPHRASE },
});

const atRoot: Prepare = async () => ({ folder: ROOT });
const anywhere: Prepare = async (folder) => ({ folder });

/** An edge with a listener for operators, at the address the playbook names. */
const atIncident: Prepare = async (folder, desk) => {
  const base = await atDesk(folder, desk, "");
  const [port, name] = [await freePort(), "https://id.example.org"];
  const issuer = await startIssuer(() => "operators");
  const policy = {
    upstream: "http://127.0.0.1:9/r4",
    development: true,
    listen: { port: 0 },
    admin: { port, operators: { audience: "operators", roles: ["edge-operator"] } },
    issuers: [{ issuer: name, jwksUri: issuer.jwksUri }],
    audit: { folder: join(folder, "running") },
  };
  writeFileSync(join(folder, "running.json"), JSON.stringify(policy));
  const edge = await servePolicy(join(folder, "running.json"));
  const operator = { iss: name, sub: "olga", roles: ["edge-operator"], amr: ["mfa"] };
  return {
    ...base,
    replaced: [...(base.replaced ?? []), ["http://127.0.0.1:9090", `http://127.0.0.1:${port}`]],
    environment: { ...base.environment, OPERATOR_TOKEN: await issuer.token(operator) },
    close: async () => {
      await edge.close();
      await issuer.close();
    },
  };
};

/** The page's own policy, over http on this machine. */
const atSignIn: Prepare = async (folder, _desk, page) => {
  const port = await freePort();
  const replaced = [["https://fhir.example.org", `http://127.0.0.1:${port}`]] as const;
  const inside = /https:\/\/(?:id\.internal|ehr\.internal|partner)\.example/g;
  const text = (blocksOf(page).find(({ language }) => language === "yaml")?.text ?? "")
    .replaceAll(replaced[0][0], replaced[0][1])
    .replaceAll(inside, "http://127.0.0.1:9");
  const here = `development: true\nlisten: { port: ${port} }\naudit: { folder: ${join(folder, "audit")} }\n`;
  writeFileSync(join(folder, "policy.yaml"), text + here);
  const edge = await servePolicy(join(folder, "policy.yaml"));
  return { folder, replaced, close: () => edge.close() };
};

/** The folder `wardline init` makes, with the files its README asks for, on ports that are free. */
const atStarter: Prepare = async (folder, _desk, page) => {
  const starter = dirname(page).split("/").at(-1) ?? "";
  const edge = join(folder, "edge");
  const issuer = starter === "devices" ? [] : ["--issuer", ISSUER];
  const answers = starter === "existing-express-api" ? ["--public-origin", "https://fhir.example"] : ANSWERS;
  await prepare("init", edge, "--starter", starter, ...issuer, ...answers);
  if (starter === "existing-express-api") return { folder: edge };
  await writeStarterFiles(join(edge, "var"));
  const policy = join(edge, "policy.yaml");
  const ports = new Map<string, string>();
  for (const [port] of readFileSync(policy, "utf8").matchAll(/(?<=port: )8\d{3}/g))
    ports.set(port, String(await freePort()));
  const text = [...ports].reduce((all, [port, free]) => all.replaceAll(port, free), readFileSync(policy, "utf8"));
  writeFileSync(policy, text);
  copyFileSync(policy, join(edge, "approved.yaml"));
  return { folder: edge };
};

/** The journal a payer's edge has kept. */
const atPayer: Prepare = async (folder) => {
  const file = join(folder, "usage.jsonl");
  await openUsageJournal({ file, key: randomBytes(32) }).close();
  return { folder: ROOT, replaced: [["var/usage.jsonl", file]] };
};

/** The edge of the page takes a free port; its own, 8080, may be another's. */
const atCli: Prepare = async (folder) => ({ folder, replaced: [["wardline serve ", "wardline serve --port 0 "]] });

/** Every page with `sh` blocks, but for the tutorial, which `tutorial.test.ts` follows. */
export const STAGES: Readonly<Record<string, Prepare>> = {
  "README.md": atRoot,
  "CONTRIBUTING.md": atRoot,
  "docs/how-to/answer-an-audit-request.md": atDesk,
  "docs/how-to/break-glass.md": atDesk,
  "docs/how-to/front-an-authorisation-server.md": atSignIn,
  "docs/how-to/incident-response.md": atIncident,
  "docs/how-to/retire-a-version.md": atDesk,
  "docs/how-to/rotate-keys.md": atDesk,
  "docs/how-to/two-instances-over-redis.md": anywhere,
  "examples/bulk-export/README.md": atRoot,
  "examples/devices/README.md": atRoot,
  "examples/existing-express-api/README.md": atRoot,
  "examples/four-zones/README.md": atRoot,
  "examples/patient-access/README.md": atRoot,
  "examples/payer/README.md": atPayer,
};

/** The program's own page and those of what it copies. */
export const PROGRAM_STAGES: Readonly<Record<string, Prepare>> = {
  "packages/cli/README.md": atCli,
  "packages/cli/starters/bulk-export/README.md": atStarter,
  "packages/cli/starters/devices/README.md": atStarter,
  "packages/cli/starters/existing-express-api/README.md": atStarter,
  "packages/cli/starters/four-zones/README.md": atStarter,
  "packages/cli/starters/patient-access/README.md": atStarter,
  "packages/cli/starters/payer/README.md": atStarter,
};
