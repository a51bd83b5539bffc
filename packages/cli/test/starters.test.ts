import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeStarterFiles } from "@wardline-tools/test-kit";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { fillIn, STARTERS } from "../src/init/starter.ts";
import { run, testFolder } from "./support/terminal.ts";

const folder = testFolder();
const CLI = join(import.meta.dirname, "..");
const EXAMPLES = join(CLI, "../../examples");
/** Its own: the shortest policy there is. */
const OWN = "patient-access";
const SERVICE = "existing-express-api";
const copied = STARTERS.filter((name) => name !== OWN && name !== SERVICE);

it("there is one for every example", async () => {
  const examples = await readdir(EXAMPLES, { withFileTypes: true });
  expect([...STARTERS]).toEqual(examples.flatMap((one) => (one.isDirectory() ? [one.name] : [])).sort());
});

it("the service is its example's, with the packages as they are published", async () => {
  const folderOf = { example: join(EXAMPLES, SERVICE), starter: join(CLI, "starters", SERVICE) };
  for (const file of ["before.cjs", "after.cjs", "routes.cjs", "store.cjs"]) {
    const [example, starter] = await Promise.all(
      Object.values(folderOf).map((path) => readFile(join(path, file), "utf8")),
    );
    expect(starter, file).toBe(example);
  }
  const [example, starter] = (await Promise.all(
    Object.values(folderOf).map(
      async (path) => JSON.parse(await readFile(join(path, "package.json"), "utf8")) as Package,
    ),
  )) as [Package, Package];
  const own = JSON.parse(await readFile(join(CLI, "package.json"), "utf8")) as { version: string };
  expect(starter.scripts).toEqual(example.scripts);
  expect(starter.dependencies).toEqual(
    Object.fromEntries(
      Object.entries(example.dependencies).map(([name, version]) => [
        name,
        version === "workspace:^" ? `^${own.version}` : version,
      ]),
    ),
  );
});

it("init asks for what the starter has a place for, and for nothing else", async () => {
  const answers = ["--public-origin", "https://fhir.example"];
  const service = ["init", folder("service"), "--starter", SERVICE, "--issuer", "https://id.example", ...answers];
  expect(await run(service)).toMatchObject({ code: 0, out: expect.stringContaining("npm install") as string });
  const readme = await readFile(folder("service/README.md"), "utf8");
  expect(readme).toContain('ISSUER="https://id.example" BASE_URL="https://fhir.example"/fhir npm start');
  expect(readme).not.toContain("DEVELOPMENT=");
  const devices = [
    "init",
    folder("devices"),
    "--starter",
    "devices",
    "--upstream",
    "https://ehr.example/r4",
    ...answers,
  ];
  expect(await run(devices)).toMatchObject({ code: 0 });
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
  await writeStarterFiles(folder("edge/var"));
  const policy = folder("edge/policy.yaml");
  // Paths of a policy begin in the folder where the edge is started.
  const text = await readFile(policy, "utf8");
  await writeFile(policy, text.replaceAll(/(?<=[ [":])(var|profiles)\//g, `${folder("edge")}/$1/`));
  expect(await run(["policy", "lint", policy])).toMatchObject({ code: 0 });

  expect(await run(["policy", "test", policy])).toMatchObject({ code: 0 });
});

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Policy {
  readonly publicOrigin: string;
  readonly issuer?: string;
  readonly issuers?: readonly { readonly smart?: unknown }[];
}

/** Only the example knows where its own sign-in has its pages. */
function withoutAddresses({ issuers, ...policy }: Policy): object {
  return issuers === undefined ? policy : { ...policy, issuers: issuers.map(({ smart: _smart, ...one }) => one) };
}
