import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyLedger } from "@wardline/audit-event";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const BASE_URL = "https://fhir.example.org/fhir";

interface Service {
  readonly child: ChildProcess;
  readonly url: string;
}

let issuer: { readonly url: string; token(claims: object): Promise<string>; close(): void };
let before: Service;
let after: Service;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "existing-express-api-"));
  issuer = await startIssuer();
  const env = { ISSUER: issuer.url, BASE_URL, DEVELOPMENT: "true", AUDIT_FOLDER: join(folder, "audit") };
  [before, after] = await Promise.all([start("before.cjs", {}), start("after.cjs", env)]);
});
afterAll(async () => {
  for (const service of [before, after]) service?.child.kill("SIGKILL");
  issuer?.close();
  await rm(folder, { recursive: true, force: true });
});

async function startIssuer(): Promise<typeof issuer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), alg: "ES256", kid: "k" };
  const server = createServer((req, res) => {
    res.setHeader("content-type", "application/json");
    const isDiscovery = req.url?.startsWith("/.well-known/") === true;
    res.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    token: (claims) =>
      new SignJWT({ sub: "anna", client_id: "app", jti: crypto.randomUUID(), ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "k", typ: "at+jwt" })
        .setIssuer(url)
        .setAudience(BASE_URL)
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(privateKey),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function start(file: string, env: Record<string, string>): Promise<Service> {
  const child = spawn(process.execPath, [join(ROOT, file)], {
    env: { PATH: process.env["PATH"], ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (text: string): void => {
      said += text;
      const [, url] = /on (http:\S+)/.exec(said) ?? [];
      if (url !== undefined) resolve({ child, url });
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.once("exit", () => reject(new Error(said)));
  });
}

async function ask(
  { url }: Service,
  path: string,
  token?: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/fhir+json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

const anna = (scope = "patient/*.rs") => issuer.token({ patient: "anna", scope });

describe("before", () => {
  it("answers everybody everything", async () => {
    const { status, text } = await ask(before, "/fhir/Patient");
    expect(status).toBe(200);
    expect(text).toMatch(/anna.*999-12-3456.*ben/);
  });
});

describe("after", () => {
  it("adds less than 30 lines and changes none", async () => {
    const read = async (name: string) => (await readFile(join(ROOT, name), "utf8")).split("\n");
    const [old, now] = await Promise.all([read("before.cjs"), read("after.cjs")]);
    const added = now.join("\n").match(/\/\/ \+ added\n[\s\S]*?\/\/ - added\n/g) ?? [];
    expect(
      added
        .join("")
        .split("\n")
        .filter((line) => line.trim() !== "" && !line.startsWith("//")).length,
    ).toBeLessThan(30);
    const rest = added.reduce((text, part) => text.replace(part, ""), now.join("\n"));
    const code = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("//"));
    expect(code(rest)).toEqual(code(old.join("\n")));
  });

  it("a patient's app reads its patient, without what the use does not need", async () => {
    const { status, text } = await ask(after, "/fhir/Patient/anna", await anna());
    expect([status, text.includes("Example")]).toEqual([200, true]);
    expect(text).not.toMatch(/999-12-3456|Next of kin/);
  });

  it("finds nothing of others, though the routes send it", async () => {
    const { text } = await ask(after, "/fhir/Observation", await anna());
    expect(text).toContain("anna-pulse");
    expect(text).not.toContain("ben");
    expect((await ask(after, "/fhir/Patient/ben", await anna())).status).toBe(404);
  });

  it.each([
    ["no token", 401, () => Promise.resolve(undefined)],
    ["a scope for another type", 403, () => anna("patient/Observation.rs")],
    ["another server's token", 401, () => Promise.resolve("eyJhbGciOiJub25lIn0.e30.")],
  ])("refuses %s", async (_what, status, token) => {
    expect((await ask(after, "/fhir/Patient/anna", await token())).status).toBe(status);
  });

  it("takes what is written about one's own patient, and refuses what is about another", async () => {
    const observation = (id: string) => ({
      resourceType: "Observation",
      status: "final",
      code: { text: "steps" },
      subject: { reference: `Patient/${id}` },
    });
    const token = await anna("patient/Observation.crs");
    expect((await ask(after, "/fhir/Observation", token, observation("anna"))).status).toBe(201);
    expect((await ask(after, "/fhir/Observation", token, observation("ben"))).status).toBe(403);
  });

  it("leaves what is not under /fhir as it was", async () => {
    expect((await ask(after, "/health")).text).toBe('{"ok":true}');
  });

  it("ends on a signal with a ledger that is whole", async () => {
    const ended = new Promise((resolve) => after.child.once("exit", resolve));
    after.child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(await verifyLedger(join(folder, "audit"))).toMatchObject({ ok: true });
  });
});
