import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { ConfigurationError } from "@wardline/policy-types";
import { ask, EXPRESS, listen } from "@wardline-tools/test-kit";
import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import winston from "winston";
import { exchangePhi } from "../src/dlp/index.ts";
import { dlp } from "../src/express/dlp.ts";
import { assertNoPhi, logRedactor, phiLogFormat, pinoPhiHooks, safeUrl } from "../src/logs/index.ts";

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const SSN = "536-22-1234";
const redact = logRedactor();
const text = (value: unknown): string => JSON.stringify(redact(value));

/** What is logged, and what must not be left of it. */
const ROWS: readonly (readonly [name: string, value: unknown, gone: readonly string[], left?: unknown])[] = [
  ["a text", `patient with ssn ${SSN} seen`, [SSN], "patient with ssn [ssn] seen"],
  ["any depth", { a: [{ b: { c: [[`x ${SSN}`]] } }] }, [SSN], { a: [{ b: { c: [["x [ssn]"]] } }] }],
  ["a key", { [SSN]: true }, [SSN], { "[ssn]": true }],
  ["JSON in a string", { body: `{"note":"${SSN}","password":"pw-123"}` }, [SSN, "pw-123"]],
  [
    "JSON in JSON in a string",
    { body: JSON.stringify({ inner: JSON.stringify({ ssn: "536221234" }) }) },
    ["536221234"],
  ],
  [
    "a resource",
    { saved: { resourceType: "Patient", id: "p1", gender: "female" } },
    ["female", "p1"],
    { saved: "[Patient]" },
  ],
  ["a resource in a string", `{"resourceType":"Patient","gender":"female"}`, ["female"]],
  ["names of PHI", { birthDate: "1970-02-28", patient: { family: "Smith" }, MRN: 12345 }, ["1970", "Smith", "12345"]],
  [
    "a number under a name",
    { member: { cardNumber: 4111111111111111, elapsedTime: 4111111111111111 } },
    ['"cardNumber":4111'],
  ],
  ["an Authorization header", `GET / Authorization: Bearer ${JWT}`, [JWT, "eyJ"]],
  ["a basic header", "authorization=Basic dXNlcjpwYXNzd29yZA==", ["dXNlcjpwYXNz"]],
  ["a DPoP header", "DPoP abcdef.ghijkl", ["abcdef"]],
  ["a token anywhere", `saw ${JWT}, refused`, ["c2lnbmF0dXJl"]],
  ["a token that was cut off", `saw ${JWT.slice(0, 40)}`, ["eyJzdWIi"]],
  ["an encrypted token", `saw ${JWT}.YWJj.ZGVm`, ["YWJj", "ZGVm"]],
  ["a client assertion", `client_assertion=abc.def&client_assertion_type=x`, ["abc.def"]],
  [
    "tokens and PHI by name, in every spelling",
    { "X-Api-Key": "a1", "session-id": "b2", SessionId: "c3", "Birth-Date": "d4", zip_code: "e5", tokenCount: 7 },
    ["a1", "b2", "c3", "d4", "e5"],
    {
      "X-Api-Key": "[removed]",
      "session-id": "[removed]",
      SessionId: "[removed]",
      "Birth-Date": "[phi]",
      zip_code: "[phi]",
      tokenCount: 7,
    },
  ],
  [
    "tokens by name",
    { accessToken: "a1", "refresh-token": "b2", ID_TOKEN: "c3", client_assertion: "d4", nested: { Cookie: "e5" } },
    ["a1", "b2", "c3", "d4", "e5"],
  ],
  ["a cookie line", "Cookie: sid=abcdef; theme=dark", ["abcdef", "dark"]],
  [
    "a set-cookie in an object",
    { headers: { "set-cookie": ["sid=abcdef"], "content-type": "text/plain" } },
    ["abcdef"],
    { headers: { "content-type": "text/plain" } },
  ],
  [
    "a header nobody listed",
    { req: { headers: { "x-erika-mustermann": "1", host: "h" } } },
    ["erika"],
    { req: { headers: { host: "h" } } },
  ],
  ["a private key", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", ["MIIE"]],
  [
    "a URL",
    "GET https://user:pw@h.example/fhir/Patient/p-17?name=Smith&_count=5#frag failed",
    ["Smith", "p-17", "pw", "frag"],
    "GET https://h.example/fhir/Patient/{id}?name&_count=5 failed",
  ],
  [
    "a request-target",
    '"GET /fhir/Patient?birthdate=1970-02-28 HTTP/1.1" 200',
    ["1970"],
    '"GET /fhir/Patient?birthdate HTTP/1.1" 200',
  ],
  ["a parameter nobody defined", "/Patient?erika-mustermann=1", ["erika"], "/Patient?{other}"],
  ["a URL object", { target: new URL("https://h.example/Patient?family=Smith") }, ["Smith"]],
  [
    "control characters",
    "a\nb\r\u001b[31mc\u2028d\u202ee\u0000",
    ["\n", "\u001b", "\u2028", "\u202e"],
    "a\\u000ab\\u000d\\u001b[31mc\\u2028d\\u202ee\\u0000",
  ],
  ["a Map and a Set", { m: new Map([["k", SSN]]), s: new Set([SSN]) }, [SSN], { m: { k: "[ssn]" }, s: ["[ssn]"] }],
  [
    "URLSearchParams and Headers",
    { q: new URLSearchParams({ token: "t0ken" }), h: new Headers({ cookie: "c00kie" }) },
    ["t0ken", "c00kie"],
  ],
  ["bytes", { body: Buffer.from(SSN) }, [SSN, "53,54"], { body: "[11 bytes]" }],
  ["something that writes itself", { toJSON: () => ({ note: SSN }) }, [SSN], { note: "[ssn]" }],
  [
    "a getter that throws",
    {
      get bad() {
        throw new Error(SSN);
      },
    },
    [SSN],
    "[unreadable]",
  ],
  ["an invalid date", { at: new Date(Number.NaN) }, [], { at: null }],
  [
    "functions, symbols, big numbers",
    { f: () => SSN, s: Symbol(SSN), b: 10n },
    [SSN],
    { f: "[function]", s: "[symbol]", b: "10" },
  ],
  [
    "names in the same record",
    {
      saved: { resourceType: "Patient", name: [{ family: "Mustermann", given: ["Erika"] }] },
      msg: "saved Erika Mustermann",
      mustermann: 1,
    },
    ["Erika", "ustermann"],
    { saved: "[Patient]", msg: "saved [name]", "[name]": 1 },
  ],
];

describe("a log record keeps nothing of", () => {
  for (const [name, value, gone, left] of ROWS) {
    it(name, () => {
      const redacted = redact(value);
      const written = JSON.stringify(redacted);
      for (const each of gone) expect(written).not.toContain(each);
      if (left !== undefined) expect(redacted).toEqual(left);
    });
  }

  it("errors: messages, causes, aggregates, own properties and the message within the stack; frames stay", () => {
    const cause = Object.assign(new Error(`duplicate key ${SSN}`), { detail: `Key (ssn)=(${SSN})`, code: "23505" });
    const error = new AggregateError([new Error(`inner ${SSN}`)], `outer ${SSN}\nsecond line ${SSN}`, { cause });
    const redacted = redact({ err: error }) as { err: { stack: string[]; cause: { code: string }; errors: unknown[] } };
    expect(JSON.stringify(redacted)).not.toContain(SSN);
    expect(redacted.err).toMatchObject({ name: "AggregateError", message: "outer [ssn]\\u000asecond line [ssn]" });
    expect(redacted.err.cause).toMatchObject({ message: "duplicate key [ssn]", code: "23505" });
    expect(redacted.err.errors).toMatchObject([{ message: "inner [ssn]" }]);
    expect(redacted.err.stack[0]).toMatch(/^at /);
    const looping = new Error("a");
    looping.cause = looping;
    expect(text(looping)).toContain("[circular]");
  });

  it("S12: circles, great depth, great width and great length end, and nothing after the limit is shown", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(redact(circle)).toEqual({ self: "[circular]" });
    const web: Record<string, unknown>[] = Array.from({ length: 50 }, () => ({}));
    for (const each of web) Object.assign(each, web);
    expect(text(web)).toContain("[circular]");
    expect(() => assertNoPhi(web)).not.toThrow();
    const same = { a: 1 };
    expect(redact([same, same])).toEqual([same, same]);
    let deep: unknown = SSN;
    for (let n = 0; n < 5000; n++) deep = { deep };
    expect(text(deep)).toContain("[too deep]");
    const wide = redact(Array.from({ length: 20_000 }, () => SSN)) as string[];
    expect(wide.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => "[ssn]"));
    expect(wide.at(-1)).toBe("[more was left out]");
    const long = `${"word ".repeat(10_000)}${SSN}`;
    expect(text(long)).toMatch(/characters cut\]"$/);
    expect(text(`${"x".repeat(16_380)}${SSN}`)).not.toContain("536");
  });

  it("a credential of any length, to its last character", () => {
    const options = { maxChars: 1_000_000 };
    const long = `${"A1b2".repeat(20_000)}END`;
    for (const line of [
      `Cookie: a=${long}`,
      `Bearer ${long}`,
      `access_token=${long}`,
      `eyJ${long}.${long}`,
      `https://h/Patient?name=${long}`,
    ]) {
      expect(JSON.stringify(logRedactor(options)(line)), line.slice(0, 20)).not.toMatch(/END|A1b2/);
    }
    const pem = `-----BEGIN EC PRIVATE KEY-----\n${long}`;
    expect(JSON.stringify(logRedactor(options)(pem))).not.toContain("END");
  });

  it("S10: long texts of what the patterns begin with hold nobody up", () => {
    for (const unit of [
      "/",
      "(/",
      "eyJ",
      "Bearer ",
      "cookie:",
      "token=",
      "-----BEGIN A-----",
      "a://",
      '"',
      "{",
      "[",
      "/?",
    ]) {
      const nasty = unit.repeat(Math.ceil(16_000 / unit.length));
      expect(typeof redact(nasty)).toBe("string");
    }
  });

  it("any structure, wherever the secret stands", () => {
    const secrets = [SSN, JWT, "x.y@clinic.example.org", "4111111111111111"];
    const word = fc.string({ maxLength: 8 });
    const secret = fc
      .constantFrom(...secrets)
      .chain((each) => fc.tuple(word, word).map(([a, b]) => `${a} ${each} ${b}`));
    const tree = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        secret,
        fc.jsonValue(),
        secret.map((each) => new Error(each)),
        secret.map((each) => JSON.stringify({ each })),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(word, secret), tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        const written = text({ value });
        for (const each of secrets) expect(written).not.toContain(each);
      }),
      { numRuns: 300 },
    );
  });

  it("a second redaction changes nothing", () => {
    for (const [name, value] of ROWS) {
      const once = redact(value);
      expect(redact(once), name).toEqual(once);
    }
  });
});

function sink() {
  const lines: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, stream };
}

// JSON.parse of Node 24 is brought to read the name otherwise by what it read first (V8 13.6).
it("S14: a name with an escape in JSON within a string is known, whatever was read before", () => {
  const spelled = "p\\u0061ssword";
  const mistaken = JSON.stringify(spelled.slice(0, "password".length));
  for (let round = 0; round < 3; round++) JSON.parse(`[{"one":"",${mistaken}:""},{"one":"",${mistaken}:""}]`);
  expect(text({ body: `[{"one":"x","${spelled}":"pw-123"}]` })).not.toContain("pw-123");
});

describe("phiLogFormat() in winston", () => {
  const logTo = (stream: Writable, ...more: winston.Logform.Format[]) =>
    winston.createLogger({
      level: "debug",
      format: winston.format.combine(...more, phiLogFormat(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    });

  it("cleans messages, metadata, errors, splat arguments and child bindings; level and time stay", () => {
    const { lines, stream } = sink();
    const logger = logTo(
      stream,
      winston.format.timestamp(),
      winston.format.errors({ stack: true }),
      winston.format.splat(),
    );
    logger.info(`seen ${SSN}`, { user: { email: "x@clinic.example.org" }, token: JWT });
    logger.error(new Error(`failed for ${SSN}`, { cause: new Error(`because ${SSN}`) }));
    logger.error("failed", new Error(`meta ${SSN}`));
    logger.warn("patient %s", SSN);
    logger.child({ ssn: "536221234" }).debug({ message: `object ${SSN}` });
    logger.log({ level: "info", message: { nested: SSN } as never });
    expect(lines).toHaveLength(6);
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.join("")).not.toMatch(/536-?22|clinic|eyJ/);
    expect(records.map(({ level }) => level)).toEqual(["info", "error", "error", "warn", "debug", "info"]);
    for (const record of records) expect(record["timestamp"]).toMatch(/^\d{4}-\d{2}-\d{2}T/);
    expect(records[3]).toMatchObject({ message: "patient [ssn]" });
    assertNoPhi(lines);
  });

  it("cleans a line that another format wrote before", () => {
    const { lines, stream } = sink();
    const logger = winston.createLogger({
      format: winston.format.combine(winston.format.simple(), phiLogFormat()),
      transports: [new winston.transports.Stream({ stream })],
    });
    logger.info(`line\nfeed ${SSN}`, { cookie: "sid=abc" });
    expect(lines.join("")).not.toMatch(/536-?22|sid=abc|line\nfeed/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("feed [ssn]");
  });

  it("gives a record without content when one cannot be redacted", () => {
    const hostile = new Proxy({ level: "info", message: SSN } as never, {
      ownKeys: () => {
        throw new Error(SSN);
      },
    });
    expect(phiLogFormat().transform(hostile)).toMatchObject({
      level: "info",
      message: "[a record that could not be redacted]",
    });
  });

  it("names every mistake in its options", () => {
    const wrong = { entitys: [], entities: ["x"], maxChars: 1, headers: ["Authorization"] };
    expect(() => phiLogFormat(wrong as never)).toThrow(ConfigurationError);
    expect(() => phiLogFormat(wrong as never)).toThrow(/4 mistakes/);
  });
});

describe("pinoPhiHooks() in pino", () => {
  it("cleans the finished line: message, objects, errors, child bindings and mixins", () => {
    const { lines, stream } = sink();
    const logger = pino({ hooks: pinoPhiHooks(), mixin: () => ({ extra: SSN }) }, stream);
    logger.info({ user: { email: "x@clinic.example.org" } }, `seen ${SSN}`);
    logger.error(new Error(`failed for ${SSN}`));
    logger.child({ authorization: JWT }).warn("x");
    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toMatch(/536-?22|clinic|eyJ/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: 30, msg: "seen [ssn]", extra: "[ssn]" });
    expect(pinoPhiHooks().streamWrite(`not json ${SSN}`)).not.toContain(SSN);
  });
});

describe.each(EXPRESS)("safeUrl() on %s", (_name, express) => {
  it("keeps the mount, types, operations and known names; ids and values go", async () => {
    const app = express();
    const seen: string[] = [];
    app.use("/fhir", (req, res) => {
      seen.push(safeUrl(req));
      res.end();
    });
    app.use("/t/:ssn", (req, res) => {
      seen.push(safeUrl(req));
      res.end();
    });
    const url = await listen(app);
    for (const [target, safe] of [
      ["/fhir/Patient/p-17", "/fhir/Patient/{id}"],
      ["/fhir/Patient/p-17/_history/3", "/fhir/Patient/{id}/_history/{id}"],
      ["/fhir/Patient/p-17/$everything?erika=2020", "/fhir/Patient/{id}/$everything?{other}"],
      ["/fhir/Patient/p-17/Observation?code=1&subject:Patient.name=x", "/fhir/Patient/{id}/Observation?code&subject"],
      ["/fhir/Patient?name=Smith&birthdate=1970&_count=20&erika=1", "/fhir/Patient?name&birthdate&_count=20&{other}"],
      ["/fhir/Patient?_count=Smith%00", "/fhir/Patient?_count"],
      ["/fhir/$erika", "/fhir/{id}"],
      ["/fhir/metadata", "/fhir/metadata"],
      ["/fhir/Pat%69ent/Smith", "/fhir/Patient/{id}"],
      [`/t/${SSN}/x`, "/{id}/{id}/{id}"],
    ] as const) {
      await ask(`${url}${target}`);
      expect(seen.at(-1)).toBe(safe);
    }
  });

  it("a whole request that is logged shows its safe URL and the headers on the list", async () => {
    const req = new IncomingMessage(new Socket());
    Object.assign(req, { method: "GET", url: "/Patient?name=Smith", headers: { host: "h", cookie: "c", "x-y": "z" } });
    expect(redact({ req })).toEqual({ req: { method: "GET", url: "/Patient?name", headers: { host: "h" } } });
  });

  it("log lines of an exchange hide what dlp() found in it and the names in its answer, and only there", async () => {
    const { lines, stream } = sink();
    const exchange = exchangePhi();
    const logger = winston.createLogger({
      format: winston.format.combine(phiLogFormat({ exchange }), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    });
    const app = express();
    app.use(dlp({ exchange, searches: "redact-in-log", bodies: "report" }), (_req, res) => {
      logger.info("looking for Smith");
      res.once("finish", () => logger.info("found Erika Mustermann"));
      res.json({ resourceType: "Patient", name: [{ family: "Mustermann", given: ["Erika"] }] });
    });
    await ask(`${await listen(app)}/Patient?name=Smith`);
    await expect.poll(() => lines.length).toBe(2);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      "looking for [phi]",
      "found [name]",
    ]);
    logger.info("Smith the carpenter");
    expect(lines.at(-1)).toContain("Smith the carpenter");
  });
});

describe("assertNoPhi()", () => {
  const good = ['{"level":"info","message":"seen","code":"smart-auth/expired"}', { status: 200, tags: ["a"] }, "plain"];
  it("passes what is clean", () => {
    expect(() => assertNoPhi(good, { texts: ["Mustermann"] })).not.toThrow();
  });
  const bad: readonly (readonly [string, unknown, string])[] = [
    ["an identifier in a line", `seen ${SSN}`, "records[0]: ssn"],
    ["an identifier in JSON in a line", `{"a":[{"b":"${SSN}"}]}`, "records[0].a[0].b: ssn"],
    ["an identifier as a name", { [SSN]: 1 }, "records[0]: ssn as a name"],
    ["a credential in a text", `Bearer ${JWT}`, "records[0]: a credential"],
    ["a credential by its name", { session_token: "abc" }, "records[0].session_token: a credential"],
    ["a text of the test", { who: "MUSTERMANN" }, "records[0].who: texts[0]"],
    ["a name of the test", { label: "erika" }, "records[0].label: name"],
    ["a header by its name", { ssn: "536221234" }, "records[0].ssn: ssn"],
    ["an error", new Error(SSN), "records[0].message: ssn"],
  ];
  for (const [name, record, where] of bad) {
    it(`throws for ${name}, saying where and not what`, () => {
      const resources = [{ resourceType: "Patient", name: [{ given: ["Erika"] }] }];
      let message = "";
      try {
        assertNoPhi([record], { texts: ["Mustermann"], resources });
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain(where);
      expect(message.toLowerCase()).not.toMatch(/536|mustermann|erika|eyj/);
    });
  }
});
