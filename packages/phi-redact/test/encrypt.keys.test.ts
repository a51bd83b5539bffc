import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigurationError, type KeyProvider } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import { listen } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AwsKmsClient,
  awsKmsKeys,
  decryptFields,
  fieldCipher,
  localKeyRing,
  rememberedKeys,
  vaultHttpClient,
  vaultTransitKeys,
} from "../src/encrypt/index.ts";
import { oneSpelling, sealBox } from "../src/encrypt/keys/box.ts";
import { memoryKeys } from "./encrypt.support.ts";

const PLACE = { resourceType: "Patient", id: "p1", path: "Patient.birthDate" };
const CONTEXT = { use: "test", tenant: "a" };
const permits = () => true;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wardline-rings-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What every provider promises, however its keys are kept. */
function keepsTheContract(
  name: string,
  open: () => Promise<{ keys: KeyProvider; rotate: () => Promise<unknown> }>,
): void {
  describe(`${name} keeps the contract of a key provider`, () => {
    it("refuses a data key moved to another context, changed, or given another key's name", async () => {
      const { keys } = await open();
      const { keyId, wrapped } = await keys.generateDataKey(CONTEXT);
      const changed = Buffer.from(wrapped);
      changed[changed.length - 5] = (changed.at(-5) ?? 0) ^ 1;
      const attempts = [
        keys.unwrapDataKey({ keyId, wrapped }, { ...CONTEXT, tenant: "b" }),
        keys.unwrapDataKey({ keyId, wrapped }, {}),
        keys.unwrapDataKey({ keyId, wrapped: changed }, CONTEXT),
        keys.unwrapDataKey({ keyId: "another", wrapped }, CONTEXT),
        keys.unwrapDataKey({ keyId, wrapped: wrapped.subarray(0, 10) }, CONTEXT),
      ];
      for (const attempt of await Promise.allSettled(attempts)) {
        expect(attempt).toMatchObject({ status: "rejected", reason: { name: "DependencyError", retryable: false } });
      }
    });

    it("opens what it wrapped, in any order of the context's names, also after rotation", async () => {
      const { keys, rotate } = await open();
      const first = await keys.generateDataKey(CONTEXT);
      await rotate();
      const second = await keys.generateDataKey(CONTEXT);
      expect(first.key).toHaveLength(32);
      expect(Buffer.from(first.key).equals(second.key)).toBe(false);
      for (const { keyId, key, wrapped } of [first, second]) {
        const again = await keys.unwrapDataKey({ keyId, wrapped }, { tenant: "a", use: "test" });
        expect(Buffer.from(again).equals(key)).toBe(true);
        expect(Buffer.from(wrapped).includes(Buffer.from(key))).toBe(false);
      }
    });

    it("carries a field there and back, sealed before rotation and opened after", async () => {
      const { keys, rotate } = await open();
      const cipher = fieldCipher({ keys });
      await cipher.prepare();
      const body = { resourceType: "Patient", id: "p1", _birthDate: cipher.encryptField("1970-01-01", PLACE) };
      await rotate();
      expect(await decryptFields(body as unknown as Json, { keys, permits })).toMatchObject({
        birthDate: "1970-01-01",
      });
      await expect(decryptFields(body as unknown as Json, { keys: memoryKeys(), permits })).rejects.toThrow();
    });
  });
}

let rings = 0;
const ring = async () => {
  rings += 1;
  const keys = await localKeyRing({ file: join(folder, `ring-${rings}`), key: randomBytes(32), create: true });
  return { keys, rotate: () => keys.rotate() };
};
keepsTheContract("a local key ring", ring);
keepsTheContract("AWS KMS", async () => {
  const kms = fakeKms();
  return { keys: awsKmsKeys({ client: kms.client, keyId: kms.arn }), rotate: async () => kms.rotate() };
});
keepsTheContract("AWS KMS under an alias", async () => {
  const kms = fakeKms();
  return { keys: awsKmsKeys({ client: kms.client, keyId: "alias/phi" }), rotate: async () => kms.rotate() };
});
keepsTheContract("Vault transit", async () => {
  const vault = fakeVault();
  const address = await listen(vault.handler);
  const client = vaultHttpClient({ address, token: () => vault.token });
  return { keys: vaultTransitKeys({ client, key: "phi" }), rotate: async () => vault.rotate() };
});

describe("a local key ring", () => {
  it("is one encrypted file, for its owner only, that the right secret opens again", async () => {
    const file = join(folder, "reopened");
    const passphrase = "correct horse battery staple";
    const first = await localKeyRing({ file, passphrase, create: true });
    const { keyId, key, wrapped } = await first.generateDataKey(CONTEXT);
    const rotated = await first.rotate();
    expect(rotated).not.toBe(keyId);
    const second = await localKeyRing({ file, passphrase });
    expect(second.currentKeyId).toBe(rotated);
    expect(Buffer.from(await second.unwrapDataKey({ keyId, wrapped }, CONTEXT)).equals(key)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).not.toContain(keyId);
  });

  it("does not open with another secret, changed, weakened, or missing", async () => {
    const unusable = { code: "phi-redact/key-ring-unusable", retryable: false };
    const file = join(folder, "spoiled");
    const key = randomBytes(32);
    await localKeyRing({ file, key, create: true });
    const text = await readFile(file, "utf8");
    await expect(localKeyRing({ file, key: randomBytes(32) })).rejects.toMatchObject(unusable);
    await expect(localKeyRing({ file, passphrase: "a long enough one" })).rejects.toMatchObject(unusable);
    await expect(localKeyRing({ file: join(folder, "missing"), key })).rejects.toMatchObject(unusable);
    const weaker = { v: 1, kdf: "PBKDF2-HMAC-SHA-256", iterations: 1, salt: "AAAA", sealed: "AAAA" };
    for (const changed of [text.slice(0, -9), text.replace('"v":1', '"v":2'), "{}", "", JSON.stringify(weaker)]) {
      await writeFile(file, changed);
      await expect(localKeyRing({ file, key }), changed).rejects.toMatchObject(unusable);
      await expect(localKeyRing({ file, key, create: true }), changed).rejects.toMatchObject(unusable);
    }
  });

  it("does not open when its derivation was weakened, even by who knows the passphrase", async () => {
    const file = join(folder, "weakened");
    const passphrase = "correct horse battery staple";
    const salt = randomBytes(16);
    const keys = JSON.stringify([{ id: "k", created: "", key: randomBytes(32).toString("base64") }]);
    const forge = async (iterations: number): Promise<void> => {
      const header = { v: 1, kdf: "PBKDF2-HMAC-SHA-256", iterations, salt: salt.toString("base64") };
      const key = pbkdf2Sync(passphrase, salt, iterations, 32, "sha256");
      const sealed = sealBox(key, Buffer.from(keys), oneSpelling({ ...header, use: "wardline field key ring" }));
      await writeFile(file, JSON.stringify({ ...header, sealed: sealed.toString("base64") }));
    };
    await forge(600_000);
    await expect(localKeyRing({ file, passphrase })).resolves.toHaveProperty("currentKeyId", "k");
    await forge(1000);
    await expect(localKeyRing({ file, passphrase })).rejects.toMatchObject({ code: "phi-redact/key-ring-unusable" });
  });

  it("keeps the key of every rotation when several are asked for at once", async () => {
    const file = join(folder, "hurried");
    const key = randomBytes(32);
    const keys = await localKeyRing({ file, key, create: true });
    await Promise.all([keys.rotate(), keys.rotate(), keys.rotate()]);
    const { keyId, wrapped } = await keys.generateDataKey(CONTEXT);
    await expect(
      localKeyRing({ file, key }).then((again) => again.unwrapDataKey({ keyId, wrapped }, CONTEXT)),
    ).resolves.toHaveLength(32);
  });

  it("names every mistake in its options", async () => {
    for (const wrong of [{}, { file: "x" }, { file: "x", passphrase: "short" }, { file: "x", key: randomBytes(16) }]) {
      await expect(localKeyRing(wrong as never)).rejects.toBeInstanceOf(ConfigurationError);
    }
  });
});

keepsTheContract("a remembered key ring", async () => {
  const { keys, rotate } = await ring();
  return { keys: rememberedKeys(keys), rotate };
});

describe("remembered keys", () => {
  async function setting(options: Parameters<typeof rememberedKeys>[1] = {}) {
    const inner = memoryKeys();
    let calls = 0;
    let time = 0;
    let down = false;
    const counting: KeyProvider = {
      ...inner,
      unwrapDataKey: async (...asked) => {
        calls += 1;
        if (down) throw new Error("down");
        return inner.unwrapDataKey(...asked);
      },
    };
    const keys = rememberedKeys(counting, { now: () => time, ...options });
    const wrapped = await Promise.all([1, 2, 3].map(() => keys.generateDataKey(CONTEXT)));
    const unwrap = (index: number, context = CONTEXT): Promise<Uint8Array> =>
      keys.unwrapDataKey(wrapped[index] ?? { keyId: "", wrapped: new Uint8Array() }, context);
    const pass = (ms: number): void => {
      time += ms;
    };
    const fail = (yes: boolean): void => {
      down = yes;
    };
    return { unwrap, calls: () => calls, pass, fail };
  }

  it("ask once, also for callers at once, until their time is over", async () => {
    const { unwrap, calls, pass } = await setting({ seconds: 10 });
    await Promise.all([unwrap(0), unwrap(0), unwrap(0)]);
    pass(9_999);
    await unwrap(0);
    expect(calls()).toBe(1);
    pass(1);
    await unwrap(0);
    expect(calls()).toBe(2);
  });

  it("do not open for another context, and do not keep a failure", async () => {
    const { unwrap, calls, fail } = await setting();
    await unwrap(0);
    await expect(unwrap(0, { ...CONTEXT, tenant: "b" })).rejects.toMatchObject({ retryable: false });
    fail(true);
    await expect(unwrap(1)).rejects.toThrow("down");
    fail(false);
    await expect(unwrap(1)).resolves.toHaveLength(32);
    expect(calls()).toBe(4);
  });

  it("keep no more than they may, the newest", async () => {
    const { unwrap, calls } = await setting({ maxKeys: 2 });
    for (const index of [0, 1, 2, 1, 2]) await unwrap(index);
    expect(calls()).toBe(3);
    await unwrap(0);
    expect(calls()).toBe(4);
    expect(() => rememberedKeys(memoryKeys(), { seconds: 0, maxKeys: 0 })).toThrow(/2 mistakes/);
  });
});

describe("a key service that misbehaves", () => {
  it("AWS KMS down, silent or answering nonsense is unavailable within our deadline, and may be asked again", async () => {
    const unavailable = { code: "phi-redact/field-keys-unavailable", retryable: true };
    const answers: readonly AwsKmsClient["generateDataKey"][] = [
      () => Promise.reject(new Error("ECONNREFUSED")),
      () => new Promise(() => undefined),
      async () => ({}),
      async () => ({ KeyId: "k", Plaintext: new Uint8Array(16), CiphertextBlob: new Uint8Array(3) }),
    ];
    for (const generateDataKey of answers) {
      const client: AwsKmsClient = { generateDataKey, decrypt: async () => ({}) };
      const keys = awsKmsKeys({ client, keyId: "arn:aws:kms:eu-1:1:key/a", timeoutMs: 30 });
      await expect(keys.generateDataKey(CONTEXT)).rejects.toMatchObject(unavailable);
    }
  });

  it("AWS KMS is given a signal that ends when our deadline does", async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const client: AwsKmsClient = {
      generateDataKey: (_input, options) => {
        signals.push(options?.abortSignal);
        return new Promise(() => undefined);
      },
      decrypt: async () => ({}),
    };
    await expect(awsKmsKeys({ client, keyId: "k", timeoutMs: 20 }).generateDataKey({})).rejects.toThrow();
    expect(signals[0]?.aborted).toBe(true);
  });

  it("KMS is never asked to use a key that only the data names", async () => {
    const mine = fakeKms();
    const theirs = fakeKms();
    const { keyId, wrapped } = await awsKmsKeys({ client: theirs.client, keyId: theirs.arn }).generateDataKey(CONTEXT);
    let asked = 0;
    const client: AwsKmsClient = {
      ...mine.client,
      decrypt: (...args) => {
        asked += 1;
        return theirs.client.decrypt(...args);
      },
    };
    const keys = awsKmsKeys({ client, keyId: mine.arn });
    await expect(keys.unwrapDataKey({ keyId, wrapped }, CONTEXT)).rejects.toMatchObject({
      code: "phi-redact/data-key-refused",
    });
    expect(asked).toBe(0);
    const former = awsKmsKeys({ client, keyId: mine.arn, formerKeyIds: [keyId] });
    await expect(former.unwrapDataKey({ keyId, wrapped }, CONTEXT)).resolves.toHaveLength(32);
  });

  const vaultTroubles: readonly (readonly [string, RequestListener])[] = [
    ["sealed", (_req, res) => res.writeHead(503).end('{"errors":["Vault is sealed"]}')],
    ["refusing our token", (_req, res) => res.writeHead(403).end('{"errors":["permission denied"]}')],
    ["silent", () => undefined],
    ["hanging up", (req) => req.socket.destroy()],
    ["talking nonsense", (_req, res) => res.end('{"data":{}}')],
    ["stopping in the middle", (_req, res) => void res.writeHead(200, { "Content-Length": "99" }).write('{"data"')],
  ];
  for (const [how, handler] of vaultTroubles) {
    it(`Vault ${how} is unavailable within our deadline`, async () => {
      const client = vaultHttpClient({ address: await listen(handler), token: () => "t" });
      const keys = vaultTransitKeys({ client, key: "phi", timeoutMs: 200 });
      await expect(keys.generateDataKey(CONTEXT)).rejects.toMatchObject({
        code: "phi-redact/field-keys-unavailable",
        retryable: true,
      });
    });
  }

  it("Vault's token does not follow a redirect", async () => {
    const vault = fakeVault();
    const elsewhere = await listen(vault.handler);
    const handler: RequestListener = (req, res) => res.writeHead(307, { Location: `${elsewhere}${req.url}` }).end();
    const client = vaultHttpClient({ address: await listen(handler), token: () => vault.token });
    await expect(vaultTransitKeys({ client, key: "phi" }).generateDataKey(CONTEXT)).rejects.toMatchObject({
      code: "phi-redact/field-keys-unavailable",
    });
  });

  it("adapters name every mistake in their options", () => {
    expect(() => awsKmsKeys({ keyId: "", timeoutMs: 0 } as never)).toThrow(/3 mistakes/);
    expect(() => vaultTransitKeys({ key: "../x", mount: "a b" } as never)).toThrow(/3 mistakes/);
  });
});

/** What KMS does as its API reference tells it: keys by ARN and alias, the encryption context as additional data. */
function fakeKms() {
  const arn = `arn:aws:kms:eu-central-1:111122223333:key/${randomBytes(8).toString("hex")}`;
  const versions = [randomBytes(32)];
  const aad = (context: Record<string, string>) =>
    Buffer.from(
      JSON.stringify(
        Object.entries(context)
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      ),
    );
  const fault = (name: string) => Object.assign(new Error(name), { name });
  const find = (id: string) => {
    if (id !== arn && id !== "alias/phi") throw fault("NotFoundException");
  };
  const client: AwsKmsClient = {
    async generateDataKey({ KeyId, KeySpec, EncryptionContext }) {
      find(KeyId);
      if (KeySpec !== "AES_256") throw fault("ValidationException");
      const Plaintext = randomBytes(32);
      const blob = seal(versions.at(-1) ?? Buffer.of(), Plaintext, aad(EncryptionContext));
      return { KeyId: arn, Plaintext, CiphertextBlob: Buffer.concat([Buffer.of(versions.length - 1), blob]) };
    },
    async decrypt({ KeyId, CiphertextBlob, EncryptionContext }) {
      find(KeyId);
      const key = versions[CiphertextBlob[0] ?? 99];
      const Plaintext = key && unseal(key, Buffer.from(CiphertextBlob.subarray(1)), aad(EncryptionContext));
      if (Plaintext === undefined) throw fault("InvalidCiphertextException");
      return { KeyId: arn, Plaintext };
    },
  };
  return { arn, client, rotate: () => void versions.push(randomBytes(32)) };
}

/** The transit engine over HTTP: `encrypt` and `decrypt` with `associated_data`, versions in the ciphertext, 400 for what does not open. */
function fakeVault() {
  const token = randomBytes(12).toString("hex");
  const versions = [randomBytes(32)];
  const handler: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const answer = (status: number, body: object) =>
        res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
      if (req.headers["x-vault-token"] !== token) return answer(403, { errors: ["permission denied"] });
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
      const aad = Buffer.from(body["associated_data"] ?? "", "base64");
      if (req.method === "POST" && req.url === "/v1/transit/encrypt/phi") {
        const box = seal(versions.at(-1) ?? Buffer.of(), Buffer.from(body["plaintext"] ?? "", "base64"), aad);
        const ciphertext = `vault:v${versions.length}:${box.toString("base64")}`;
        return answer(200, { data: { ciphertext, key_version: versions.length } });
      }
      if (req.method !== "POST" || req.url !== "/v1/transit/decrypt/phi") return answer(404, { errors: [] });
      const [, version, text] = /^vault:v(\d+):(.+)$/.exec(body["ciphertext"] ?? "") ?? [];
      const key = versions[Number(version) - 1];
      const plaintext = key && unseal(key, Buffer.from(text ?? "", "base64"), aad);
      if (plaintext === undefined) return answer(400, { errors: ["cipher: message authentication failed"] });
      return answer(200, { data: { plaintext: plaintext.toString("base64") } });
    });
  };
  return { token, handler, rotate: () => void versions.push(randomBytes(32)) };
}

function seal(key: Buffer, data: Buffer, aad: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 }).setAAD(aad);
  return Buffer.concat([nonce, cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: Buffer, box: Buffer, aad: Buffer): Buffer | undefined {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12), { authTagLength: 16 }).setAAD(aad);
    decipher.setAuthTag(box.subarray(-16));
    return Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
