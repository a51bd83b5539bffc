import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testCa } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { fillIn, STARTERS } from "../src/init/starter.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const CLI = join(import.meta.dirname, "..");
const EXAMPLES = join(CLI, "../../examples");
/** Its own: the shortest policy there is. */
const OWN = "patient-access";
const copied = STARTERS.filter((name) => name !== OWN);

it("there is one for every example with a policy of its own", () => {
  expect([...STARTERS]).toEqual(["bulk-export", "devices", "four-zones", OWN, "payer"]);
});

it.each(copied)("%s is its example's policy, but for what init asks", async (name) => {
  const example = parse(await readFile(join(EXAMPLES, name, "policy.yaml"), "utf8")) as Policy;
  const answers = {
    upstream: "http://127.0.0.1:8081/r4",
    issuer: example.issuer ?? "http://127.0.0.1:8082",
    publicOrigin: example.publicOrigin,
    development: true,
  };
  const starter = await readFile(join(CLI, "starters", name, "policy.yaml"), "utf8");
  expect(parse(fillIn(starter, answers))).toEqual(withoutAddresses(example));
});

it.each(copied)("%s is a policy whose tests hold, once its files are there", async (name) => {
  const urls = ["--upstream", "https://ehr.example/r4", "--issuer", "https://id.example"];
  const answers = [...urls, "--public-origin", "https://fhir.example"];
  expect(await run(["init", folder("edge"), "--starter", name, ...answers])).toMatchObject({ code: 0 });
  await writeFiles(folder("edge/var"));
  const policy = folder("edge/policy.yaml");
  // Paths of a policy begin in the folder where the edge is started.
  const text = await readFile(policy, "utf8");
  await writeFile(policy, text.replaceAll(/(?<=[ [":])(var|profiles)\//g, `${folder("edge")}/$1/`));
  expect(await run(["policy", "lint", policy])).toMatchObject({ code: 0 });

  expect(await run(["policy", "test", policy])).toMatchObject({ code: 0 });
});

interface Policy {
  readonly publicOrigin: string;
  readonly issuer?: string;
  readonly issuers?: readonly { readonly smart?: unknown }[];
}

/** Only the example knows where its own sign-in has its pages. */
function withoutAddresses({ issuers, ...policy }: Policy): object {
  return issuers === undefined ? policy : { ...policy, issuers: issuers.map(({ smart: _smart, ...one }) => one) };
}

async function writeFiles(at: string): Promise<void> {
  await mkdir(at);
  const ca = await testCa();
  const { cert, key } = await ca.issue({ name: "edge" });
  const secret = (size: number): string => randomBytes(size).toString("base64url");
  const files: Readonly<Record<string, string | Buffer>> = {
    "edge.pem": cert,
    "edge.key": key,
    "network-ca.pem": ca.cert,
    "partner-ca.pem": ca.cert,
    "device-ca.pem": ca.cert,
    "device-ca.crl": Buffer.from(await ca.crl([])),
    "usage.key": secret(32),
    "abuse.key": secret(16),
    "links.key": secret(32),
    "redis.url": "rediss://redis.example",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(at, name), text);
}
