import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CryptoKey, exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type GatewayEvent,
  parsePolicy,
  type ServedPolicy,
  type ServeOptions,
  servePolicy,
  signPolicy,
} from "../src/index.ts";

let folder: string;
let served: ServedPolicy | undefined;
let events: GatewayEvent[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
  events = [];
});
afterEach(async () => {
  await served?.close();
  served = undefined;
  await rm(folder, { recursive: true });
});

const development = (more = ""): string =>
  `development: true\nupstream: http://127.0.0.1:9/r4\nissuer: http://127.0.0.1:9\nlisten: { port: 0 }\naudit: { folder: ${folder}/audit }\n${more}`;
const production = (more = ""): string => development(more).replace("true", "false").replaceAll("http:", "https:");

async function serve(text: string, options: ServeOptions = {}): Promise<ServedPolicy> {
  await write(text);
  const file = join(folder, "policy.yaml");
  served = await servePolicy(file, { onEvent: (event) => events.push(event), drainMs: 0, ...options });
  return served;
}

function write(text: string, name = "policy.yaml"): Promise<void> {
  return writeFile(join(folder, name), text);
}

describe("servePolicy", () => {
  it("runs a whole edge from an upstream and an issuer, on any port, and shows that port", async () => {
    const { url, port } = await serve(development());
    const answer = await fetch(`${url}/.well-known/oauth-protected-resource/fhir`);
    expect(await answer.json()).toMatchObject({ resource: `http://127.0.0.1:${port}/fhir` });
    expect((await fetch(`${url}/fhir/Patient/a`)).status).toBe(401);
  });

  it("follows its file, and keeps the running policy when the new one is wrong", async () => {
    const { gateway } = await serve(development());
    const first = gateway.policyVersion;
    await write(development("name: second\n"));
    // `name` is bound to the ledger, so this one is refused.
    await expect.poll(() => events.map(({ code }) => code)).toContain("gateway/policy-refused");
    expect(gateway.policyVersion).toBe(first);
    await write(development("door: { limit: 7 }\n"));
    await expect.poll(() => gateway.policyVersion).not.toBe(first);
    const second = gateway.policyVersion;
    await write("routes: [");
    await expect.poll(() => events.filter(({ code }) => code === "gateway/policy-refused").length).toBe(2);
    expect(gateway.policyVersion).toBe(second);
  });

  it("F12: says in /readyz that what lies there was refused, and in the log each mistake with its line", async () => {
    const lines: string[] = [];
    const heard = vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
    await write(development("admin: { port: 0 }\n"));
    served = await servePolicy(join(folder, "policy.yaml"), { drainMs: 0, watch: false });
    const { adminPort, reload } = served;
    const degraded = async () => {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
      return ((await answer.json()) as { readonly degraded: readonly string[] }).degraded;
    };
    await write(development("admin: { port: 0 }\nupstrem: x\nsecret: hunter2\n"));
    await reload();
    heard.mockRestore();
    const told = lines.map((line) => JSON.parse(line) as { code: string; mistakes?: string[] });
    const { mistakes } = told.find(({ code }) => code === "gateway/policy-refused") ?? {};
    expect(mistakes).toHaveLength(2);
    expect(mistakes?.[0]).toMatch(/^line \d+, upstrem: unknown key `upstrem`, did you mean `upstream`\?$/);
    expect(lines.join("")).not.toContain("hunter2");
    expect(await degraded()).toEqual(["policy refused"]);
    await write(development("admin: { port: 0 }\n"));
    await reload();
    expect(await degraded()).toEqual([]);
  });

  it("F12: raises no alarm of drift when the file and what runs change together", async () => {
    const { gateway } = await serve(development());
    const first = gateway.policyVersion;
    await write(development("door: { limit: 7 }\n"));
    await expect.poll(() => gateway.policyVersion).not.toBe(first);
    await served?.close();
    expect(events.map(({ code }) => code)).not.toContain("gateway/drift");
  });

  it("a port that is taken is named, with what to do, and the system's code", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(serve(development().replace("port: 0", `port: ${port}`))).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: `127.0.0.1:${port} is in use by another process or another listener of this one; end it, or name another \`port\``,
    });
    other.close();
  });

  it("all secrets that are missing are named at once", async () => {
    const lacking = "pageLinks: { keys: ['env:NOSUCH_1', 'file:/nosuch'] }\nabuse: { key: 'env:NOSUCH_2' }\n";
    await expect(serve(development(lacking))).rejects.toMatchObject({
      code: "gateway/secret-unavailable",
      message: "the secrets env:NOSUCH_1, file:/nosuch, env:NOSUCH_2 are missing or empty",
    });
  });

  it("a file in place of the folder of the audit log is named, with what to give", async () => {
    await write("", "taken");
    await expect(serve(development().replace("/audit }", "/taken }"))).rejects.toThrow(
      /taken\/revocations\.ndjson, cannot be read \(ENOTDIR\); name a folder/,
    );
  });

  it("F11: where keys are named, a policy needs a signature though it says `development`", async () => {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA");
    const keysFile = join(folder, "approvers.json");
    const sign = async (text: string): Promise<void> => {
      const options = {
        key: privateKey,
        keyId: "anna",
        algorithm: "EdDSA",
        validSeconds: 3600,
        now: Date.now(),
      } as const;
      await write(await signPolicy(parsePolicy(text), options), "policy.yaml.sig");
    };
    await expect(serve(development(), { keysFile })).rejects.toThrow(`${keysFile}: cannot be read (ENOENT)`);
    const keys = [{ ...(await exportJWK(publicKey)), kid: "anna", alg: "EdDSA" }];
    await write(JSON.stringify({ keys }), "approvers.json");
    await expect(serve(development(), { keysFile })).rejects.toThrow(
      /not signed; sign version \w+ with .* or name no keys/,
    );
    await sign(development());
    const { gateway, reload } = await serve(development(), { keysFile, watch: false });
    const first = gateway.policyVersion;
    await write(development("door: { limit: 7 }\n"));
    await reload();
    const { source } = parsePolicy(development("door: { limit: 7 }\n"));
    const unsigned = () => Promise.resolve({ policy: source });
    await expect(gateway.reload(unsigned)).rejects.toThrow(/not signed/);
    expect(gateway.policyVersion).toBe(first);
    await sign(development("door: { limit: 7 }\n"));
    await reload();
    expect(gateway.policyVersion).not.toBe(first);
  });

  it("keys that cannot be read are not told to be malformed", async () => {
    const file = join(folder, "nosuch.json");
    await expect(serve(production(), { keysFile: file })).rejects.toThrow(
      `${file}: cannot be read (ENOENT); give the path of a JWK set`,
    );
  });

  it("does not follow where it was told not to, and reloads when asked", async () => {
    const { gateway, reload } = await serve(development(), { watch: false });
    const first = gateway.policyVersion;
    await write(development("door: { limit: 7 }\n"));
    await reload();
    expect(gateway.policyVersion).not.toBe(first);
  });
});

describe("a place of this process", () => {
  it("has ports of its own, and an audit log of its own, under the policy as it was written", async () => {
    const text = development("publicOrigin: http://127.0.0.1\nadmin: { port: 1 }\n").replace("port: 0", "port: 1");
    const { gateway, port, adminPort } = await serve(text, { place: { port: 0, adminPort: 0, instance: "edge-2" } });
    expect(port).toBeGreaterThan(1);
    expect(adminPort).toBeGreaterThan(1);
    expect(gateway.policyVersion).toBe(parsePolicy(text).version);
    expect(await readdir(join(folder, "audit"))).toEqual(["edge-2"]);
    gateway.noteFileVersion(parsePolicy(text).version);
    expect(events.map(({ code }) => code)).not.toContain("gateway/drift");
  });

  it("keeps its place when the policy changes", async () => {
    const text = development().replace("port: 0", "port: 1");
    const { gateway, reload, url } = await serve(text, { place: { port: 0 }, watch: false });
    await write(`${text}door: { limit: 7 }\n`);
    await reload();
    expect(gateway.policyVersion).toBe(parsePolicy(`${text}door: { limit: 7 }\n`).version);
    expect((await fetch(`${url}/fhir/Patient/a`)).status).toBe(401);
  });

  it.each([
    ["consents in one file", "consent: { file: consents.log }\n", /consent\.file: several processes/],
    ["files of exports", "bulkExport: { folder: exports }\n", /bulkExport: one process keeps its exports/],
  ])("cannot share %s", async (_what, more, message) => {
    await expect(serve(development(more), { place: { instance: "edge-2" } })).rejects.toThrow(message);
  });

  it("is one", async () => {
    const place = { port: 70_000, prot: 1 };
    await expect(serve(development(), { place })).rejects.toThrow(/place\.prot.*did you mean[\s\S]*place\.port/);
  });
});

describe("F11: outside development a policy needs its signature", () => {
  async function keyPair(): Promise<CryptoKey> {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA");
    await write(
      JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "anna", alg: "EdDSA" }] }),
      "keys.json",
    );
    return privateKey;
  }

  async function sign(key: CryptoKey, text: string): Promise<void> {
    const request = { key, keyId: "anna", algorithm: "EdDSA", validSeconds: 600, now: Date.now() } as const;
    await write(`${await signPolicy(parsePolicy(text), request)}\n`, "policy.yaml.sig");
  }

  it("and starts with it", async () => {
    await sign(await keyPair(), production());
    const { gateway } = await serve(production(), { keysFile: join(folder, "keys.json") });
    expect(gateway.policyVersion).toBe(parsePolicy(production()).version);
  });

  it("which stands whatever port a process takes", async () => {
    await sign(await keyPair(), production().replace("port: 0", "port: 1"));
    const options = { keysFile: join(folder, "keys.json"), place: { port: 0, instance: "edge-2" } };
    const { port } = await serve(production().replace("port: 0", "port: 1"), options);
    expect(port).toBeGreaterThan(1);
  });

  it("and follows only what was signed", async () => {
    const key = await keyPair();
    await sign(key, production());
    const { gateway, reload } = await serve(production(), { keysFile: join(folder, "keys.json"), watch: false });
    const first = gateway.policyVersion;
    await write(production("door: { limit: 7 }\n"));
    await reload();
    expect(gateway.policyVersion).toBe(first);
    expect(events.map(({ code }) => code)).toEqual(expect.arrayContaining(["gateway/policy-refused", "gateway/drift"]));
    await sign(key, production("door: { limit: 7 }\n"));
    await reload();
    expect(gateway.policyVersion).not.toBe(first);
    expect(events.at(-1)?.code).toBe("gateway/drift-ended");
  });

  it("and takes a renewed approval of the same content", async () => {
    const key = await keyPair();
    const approve = async (validSeconds: number): Promise<void> => {
      const request = { key, keyId: "anna", algorithm: "EdDSA", validSeconds, now: Date.now() } as const;
      await write(`${await signPolicy(parsePolicy(production()), request)}\n`, "policy.yaml.sig");
    };
    await approve(600);
    let at = Date.now();
    const options = { keysFile: join(folder, "keys.json"), watch: false, now: () => at };
    const { gateway, reload } = await serve(production(), options);
    await approve(6000);
    await reload();
    at += 1_000_000;
    gateway.noteFileVersion(gateway.policyVersion);
    expect(events.map(({ code }) => code)).not.toContain("gateway/drift");
    at += 6_000_000;
    gateway.noteFileVersion(gateway.policyVersion);
    expect(events.map(({ code }) => code)).toContain("gateway/drift");
  });

  it.each<[string, ServeOptions, RegExp]>([
    ["no keys", {}, /public keys of those who may approve/],
    ["keys that cannot be read", { keysFile: "/nowhere/keys.json" }, /JWK set/],
  ])("stops with %s", async (_what, options, message) => {
    await expect(serve(production(), options)).rejects.toThrow(message);
  });

  it("stops without a signature", async () => {
    await keyPair();
    await expect(serve(production(), { keysFile: join(folder, "keys.json") })).rejects.toThrow(/not signed/);
  });
});
