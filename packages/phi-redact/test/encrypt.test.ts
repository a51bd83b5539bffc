import { randomBytes } from "node:crypto";
import type { KeyProvider } from "@wardline/policy-types";
import { ConfigurationError } from "@wardline/policy-types";
import type { Json } from "@wardline/policy-types/express";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  decryptFields,
  ENCRYPTED_FIELD,
  type FieldCipher,
  type FieldCiphertext,
  type FieldPlace,
  fieldCipher,
} from "../src/encrypt/index.ts";
import { nonceSequence } from "../src/encrypt/nonces.ts";
import { additionalData } from "../src/encrypt/sealed-field.ts";
import { memoryKeys } from "./encrypt.support.ts";

const PLACE: FieldPlace = { resourceType: "Patient", id: "p1", path: "Patient.birthDate" };
const everything = () => true;
let keys: KeyProvider;
let cipher: FieldCipher;
beforeAll(async () => {
  keys = memoryKeys();
  cipher = fieldCipher({ keys });
  await cipher.prepare();
});

const patient = (field: FieldCiphertext, id = "p1", name = "_birthDate"): Json =>
  ({ resourceType: "Patient", id, [name]: field }) as unknown as Json;
const textOf = (field: FieldCiphertext): string => field.extension[1].valueString;
const withText = (field: FieldCiphertext, text: string): FieldCiphertext => ({
  extension: [field.extension[0], { url: ENCRYPTED_FIELD, valueString: text }],
});

describe("an encrypted field does not open", () => {
  const moved: readonly (readonly [string, (field: FieldCiphertext) => Json])[] = [
    ["in another resource", (field) => patient(field, "p2")],
    ["in a resource that lost its id", (field) => ({ resourceType: "Patient", _birthDate: field }) as unknown as Json],
    ["in another type", (field) => ({ resourceType: "Person", id: "p1", _birthDate: field }) as unknown as Json],
    ["at another path", (field) => patient(field, "p1", "_deceasedDateTime")],
    [
      "inside something contained",
      (field) =>
        ({
          resourceType: "Patient",
          id: "p1",
          contained: [{ resourceType: "Patient", id: "p1", _birthDate: field }],
        }) as unknown as Json,
    ],
  ];
  for (const [how, build] of moved) {
    it(`${how}`, async () => {
      const field = cipher.encryptField("1970-01-01", PLACE);
      await expect(decryptFields(build(field), { keys, permits: everything })).rejects.toMatchObject({
        code: "phi-redact/field-unreadable",
        retryable: false,
      });
    });
  }

  it("with any one character of it changed, a short tag, or another spelling", async () => {
    const field = cipher.encryptField("1970-01-01", PLACE);
    const text = textOf(field);
    const corruptions = text.split("").map((character, index) => {
      return text.slice(0, index) + (character === "A" ? "B" : "A") + text.slice(index + 1);
    });
    for (const changed of [...corruptions, text.slice(0, -6), `${text}=`, `${text}.`, text.replace("w1", "w2"), ""]) {
      await expect(
        decryptFields(patient(withText(field, changed)), { keys, permits: everything }),
        changed,
      ).rejects.toMatchObject({ code: "phi-redact/field-unreadable" });
    }
  });

  it("with other keys, or for another context", async () => {
    const body = patient(cipher.encryptField("1970-01-01", PLACE));
    const refused = { code: "phi-redact/field-unreadable" };
    await expect(decryptFields(body, { keys: memoryKeys(), permits: everything })).rejects.toMatchObject(refused);
    const context = { use: "something else" };
    await expect(decryptFields(body, { keys, permits: everything, context })).rejects.toMatchObject(refused);
  });

  it("for a reader whose rule says no, throws, or answers something like yes; nobody asks the keys then", async () => {
    const body = patient(cipher.encryptField("1970-01-01", PLACE));
    let asked = 0;
    const counting: KeyProvider = {
      ...keys,
      unwrapDataKey: (...wrapped) => {
        asked += 1;
        return keys.unwrapDataKey(...wrapped);
      },
    };
    const rules = [
      () => false,
      () => "yes" as unknown as boolean,
      () => {
        throw new Error("rule");
      },
    ];
    for (const permits of rules) expect(await decryptFields(body, { keys: counting, permits })).toEqual(body);
    expect(asked).toBe(0);
  });

  it("and a resource with very many data keys is refused before the keys are asked", async () => {
    const fields = await Promise.all(
      [1, 2, 3].map(async () => {
        const own = fieldCipher({ keys });
        await own.prepare();
        return own.encryptField("x", { ...PLACE, path: "Patient.address" });
      }),
    );
    const body = { resourceType: "Patient", id: "p1", address: fields } as unknown as Json;
    await expect(decryptFields(body, { keys, permits: everything, maxKeys: 2 })).rejects.toMatchObject({
      code: "phi-redact/field-unreadable",
    });
    expect(await decryptFields(body, { keys, permits: everything, maxKeys: 3 })).toMatchObject({
      address: ["x", "x", "x"],
    });
  });
});

describe("what is bound", () => {
  it("is type, id, path and key id, each by itself; no two ways to cut them read the same", () => {
    const bound = (resourceType: string, id: string | undefined, path: string, keyId: string): string =>
      additionalData({ resourceType, ...(id === undefined ? {} : { id }), path }, keyId).toString();
    const all = [
      bound("Patient", "p1", "Patient.name", "k"),
      bound("Person", "p1", "Patient.name", "k"),
      bound("Patient", "p2", "Patient.name", "k"),
      bound("Patient", undefined, "Patient.name", "k"),
      bound("Patient", "null", "Patient.name", "k"),
      bound("Patient", "p1", "Patient.name.family", "k"),
      bound("Patient", "p1", "Patient.name", "k2"),
      bound("Patient", 'p1","Patient.name', "", "k"),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(bound("Patient", "p1", "Patient.name[3].given[0]", "k")).toBe(
      bound("Patient", "p1", "Patient.name.given", "k"),
    );
  });
});

describe("an encrypted field", () => {
  it("says nothing of its value and is valid FHIR: masked, and one extension of ours", () => {
    const field = cipher.encryptField("Müller", PLACE);
    expect(field).toEqual({
      extension: [
        { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
        { url: "urn:wardline:encrypted-field", valueString: textOf(field) },
      ],
    });
    expect(textOf(field)).toMatch(/^w1(?:\.[\w-]+){3}$/);
    expect(JSON.stringify(field)).not.toContain("Müller");
  });

  it("comes back as it was: any JSON value at any place", async () => {
    const word = fc.string({ minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(fc.jsonValue(), word, word, async (value, id, element) => {
      fc.pre(!element.startsWith("_") && !["id", "resourceType", "extension", "__proto__"].includes(element));
      fc.pre(!element.includes("[") && value !== undefined);
      const place = { resourceType: "Basic", id, path: `Basic.${element}` };
      const sealed = { resourceType: "Basic", id, [element]: cipher.encryptField(value, place) } as unknown as Json;
      const opened = await decryptFields(sealed, { keys, permits: everything });
      expect(opened).toEqual({ resourceType: "Basic", id, [element]: JSON.parse(JSON.stringify(value)) as unknown });
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it("comes back among the others of its array, in contained resources and in the entries of a Bundle", async () => {
    const at = (path: string, resourceType = "Patient") => ({ resourceType, id: "p1", path });
    const seal = (value: unknown, path: string, type?: string) => cipher.encryptField(value, at(path, type));
    const entry = {
      resourceType: "Patient",
      id: "p1",
      contained: [{ resourceType: "Organization", id: "o", _name: seal("Clinic", "Patient.contained.name") }],
      name: [{ _given: [null, seal("Maria", "Patient.name[0].given[1]"), { id: "x" }], given: ["Anna", null, "Eva"] }],
      address: [{ city: "Bonn" }, seal({ city: "Köln" }, "Patient.address")],
      _birthDate: { id: "kept" },
    };
    const body = { resourceType: "Bundle", id: "b", entry: [{ resource: entry }] } as unknown as Json;
    const before = structuredClone(body);
    expect(await decryptFields(body, { keys, permits: everything })).toEqual({
      resourceType: "Bundle",
      id: "b",
      entry: [
        {
          resource: {
            resourceType: "Patient",
            id: "p1",
            contained: [{ resourceType: "Organization", id: "o", name: "Clinic" }],
            name: [{ given: ["Anna", "Maria", "Eva"], _given: [null, null, { id: "x" }] }],
            address: [{ city: "Bonn" }, { city: "Köln" }],
            _birthDate: { id: "kept" },
          },
        },
      ],
    });
    expect(body).toEqual(before);
  });

  it("comes back with what its element kept: an id, an extension's url", async () => {
    const { extension } = cipher.encryptField("1970-01-01", PLACE);
    const inner = cipher.encryptField({ valueString: "x" }, { ...PLACE, path: "Patient.extension" });
    const body = {
      resourceType: "Patient",
      id: "p1",
      _birthDate: { id: "b", extension },
      extension: [{ url: "u", ...inner }],
    };
    expect(await decryptFields(body as unknown as Json, { keys, permits: everything })).toEqual({
      resourceType: "Patient",
      id: "p1",
      birthDate: "1970-01-01",
      _birthDate: { id: "b" },
      extension: [{ url: "u", valueString: "x" }],
    });
  });

  it("opens for the fields a reader may see and stays masked for the rest", async () => {
    const city = cipher.encryptField("Bonn", { resourceType: "Patient", id: "p1", path: "Patient.address.city" });
    const birthDate = cipher.encryptField("1970-01-01", PLACE);
    const body = { resourceType: "Patient", id: "p1", _birthDate: birthDate, address: [{ _city: city }] };
    const permits = ({ path }: FieldPlace) => path.startsWith("Patient.address");
    expect(await decryptFields(body as unknown as Json, { keys, permits })).toEqual({
      ...body,
      address: [{ city: "Bonn" }],
    });
  });

  it("refuses to take what is no JSON value", () => {
    expect(() => cipher.encryptField(undefined, PLACE)).toThrow(TypeError);
  });
});

describe("nonces", () => {
  it("never repeat under one key: fixed random part, counter, and an end instead of a second round", () => {
    const next = nonceSequence(new Uint8Array(8).fill(9), 0xffff_fff0);
    const seen = Array.from({ length: 16 }, () => Buffer.from(next() ?? []).toString("hex"));
    expect(new Set(seen).size).toBe(16);
    expect(seen.every((nonce) => nonce.startsWith("09".repeat(8)))).toBe(true);
    expect(seen.at(-1)).toBe(`${"09".repeat(8)}ffffffff`);
    expect(next()).toBeUndefined();
  });

  it("differ over many fields, and over two ciphers that were given the same data key", async () => {
    const dataKey = { keyId: "k", key: randomBytes(32), wrapped: randomBytes(40) };
    const same: KeyProvider = { ...keys, generateDataKey: async () => dataKey };
    const seen = new Set<string>();
    for (const own of [fieldCipher({ keys: same }), fieldCipher({ keys: same })]) {
      await own.prepare();
      for (let n = 0; n < 10_000; n++) {
        const box = textOf(own.encryptField("same", PLACE)).split(".")[3] ?? "";
        seen.add(box.slice(0, 16));
      }
    }
    expect(seen.size).toBe(20_000);
  });

  it("cannot be started with too little randomness", () => {
    expect(() => nonceSequence(new Uint8Array(4))).toThrow(TypeError);
  });
});

describe("options", () => {
  it("are all checked at once, unknown ones with the nearest name", () => {
    const wrong = { keys: {}, timeoutMs: 0, renewSeconds: 10, maxSeconds: 5, maxFields: 2 ** 40, contxt: {} };
    expect(() => fieldCipher(wrong as never)).toThrow(ConfigurationError);
    try {
      fieldCipher(wrong as never);
    } catch (error) {
      expect((error as ConfigurationError).issues.map(({ path }) => path).sort()).toEqual([
        "contxt",
        "keys",
        "maxFields",
        "renewSeconds",
        "timeoutMs",
      ]);
      expect(String(error)).toContain("did you mean `context`");
    }
  });
});
