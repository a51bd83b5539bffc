import { describe, expect, it } from "vitest";
import { addressMatcher } from "../src/addresses.ts";
import { decideEntry, type PerimeterPolicy } from "../src/decide.ts";
import { type RequestFacts, readHeaderFacts } from "../src/facts.ts";

const POLICY: PerimeterPolicy = {
  requireHttps: true,
  development: false,
  methods: ["GET", "HEAD", "POST", "DELETE", "OPTIONS"],
  maxHeaders: 10,
  maxHeaderBytes: 500,
  maxUrlBytes: 100,
};
const HOST = ["Host", "fhir.example.org"] as const;

function facts(changes: Partial<RequestFacts>, headers: readonly string[] = HOST): RequestFacts {
  return {
    method: "GET",
    target: "/fhir/Patient/1",
    httpVersion: "1.1",
    address: "192.0.2.7",
    secure: true,
    local: false,
    headers: readHeaderFacts(headers),
    ...changes,
  };
}

/** Each row: one change to a good request, and what it is refused as. */
type Row = readonly [string, RequestFacts, string, number];
const deniedBy = (policy: Partial<PerimeterPolicy>, rows: readonly Row[]): void => {
  it.each(rows)("refuses %s", (_what, request, name, status) => {
    const decision = decideEntry(request, { ...POLICY, ...policy });
    expect(decision).toMatchObject({ kind: "deny", problem: { code: `perimeter/${name}`, status } });
    expect(decision.because.length).toBeGreaterThan(0);
  });
};

describe("a good request", () => {
  it.each<[string, RequestFacts]>([
    ["as it is", facts({})],
    ["with a body", facts({ method: "POST" }, [...HOST, "Content-Length", "5"])],
    ["chunked", facts({ method: "POST" }, [...HOST, "Transfer-Encoding", "Chunked"])],
    ["DELETE with an empty body", facts({ method: "DELETE" }, [...HOST, "Content-Length", "0"])],
    ["expecting to continue", facts({ method: "POST" }, [...HOST, "Expect", "100-Continue", "Content-Length", "5"])],
    ["with a port", facts({}, ["Host", "fhir.example.org:8443"])],
    ["to an IPv6 host", facts({}, ["Host", "[2001:db8::1]:443"])],
    ["with several list headers", facts({}, [...HOST, "Accept", "a/b", "Accept", "c/d"])],
    ["keeping the connection", facts({}, [...HOST, "Connection", "keep-alive, TE"])],
    ["with a tab in a value", facts({}, [...HOST, "Prefer", "a;\tb"])],
  ])("passes %s", (_what, request) => {
    expect(decideEntry(request, POLICY).kind).toBe("permit");
  });
});

describe("transport and address", () => {
  const allowedAddress = addressMatcher(["10.0.0.0/8", "2001:db8::/32"]);
  deniedBy({}, [["plain http", facts({ secure: false }), "https-required", 403]]);
  deniedBy({}, [["plain http from this machine", facts({ secure: false, local: true }), "https-required", 403]]);
  deniedBy({ development: true }, [["plain http from elsewhere", facts({ secure: false }), "https-required", 403]]);
  deniedBy({ allowedAddress }, [
    ["an address off the list", facts({}), "address-not-allowed", 403],
    ["an unknown address", facts({ address: "somewhere" }), "address-not-allowed", 403],
  ]);
  it("a missing address is not on any list", () => {
    const { address: _, ...unknown } = facts({});
    expect(decideEntry(unknown, { ...POLICY, allowedAddress })).toMatchObject({ kind: "deny" });
  });
  it("passes development from this machine, plain http where allowed, an address on the list", () => {
    const local = facts({ secure: false, local: true });
    expect(decideEntry(local, { ...POLICY, development: true }).kind).toBe("permit");
    expect(decideEntry(facts({ secure: false }), { ...POLICY, requireHttps: false }).kind).toBe("permit");
    expect(decideEntry(facts({ address: "::ffff:10.1.2.3" }), { ...POLICY, allowedAddress }).kind).toBe("permit");
  });
});

describe("headers", () => {
  const twice = (name: string, value = "x"): readonly string[] => [
    ...(name === "Host" ? [] : HOST),
    name,
    value,
    name.toLowerCase(),
    value,
  ];
  deniedBy({}, [
    ["no host", facts({}, []), "host-missing", 400],
    ["an empty host", facts({}, ["Host", ""]), "host-missing", 400],
    ["a host with a user", facts({}, ["Host", "user@fhir.example.org"]), "host-invalid", 400],
    ["a list of hosts", facts({}, ["Host", "a.example, b.example"]), "host-invalid", 400],
    ["a host with a path", facts({}, ["Host", "a.example/x"]), "host-invalid", 400],
    ...[
      "Authorization",
      "DPoP",
      "Client-Cert",
      "Content-Type",
      "If-Match",
      "If-None-Exist",
      "Content-Encoding",
      "Origin",
    ].map((name): Row => [`two ${name}`, facts({}, twice(name)), "header-repeated", 400]),
    ["two Host", facts({}, twice("Host", "a.example")), "header-repeated", 400],
    ["two Content-Length", facts({ method: "POST" }, [...twice("Content-Length", "5")]), "header-repeated", 400],
    ["a control character", facts({}, [...HOST, "X-A", "a\u0001b"]), "header-characters", 400],
    ["a carriage return", facts({}, [...HOST, "X-A", "a\rb"]), "header-characters", 400],
    ["DEL", facts({}, [...HOST, "X-A", "\u007f"]), "header-characters", 400],
    ["a byte above ASCII", facts({}, [...HOST, "X-A", "caf\u00e9"]), "header-characters", 400],
    ["too many headers", facts({}, [...HOST, ...Array<string>(20).fill("a")]), "header-count", 431],
    ["headers too long together", facts({}, [...HOST, "a", "x".repeat(500)]), "header-bytes", 431],
    [
      "Connection naming Authorization",
      facts({}, [...HOST, "Connection", "close, Authorization"]),
      "connection-option",
      400,
    ],
  ]);
});

describe("method and framing", () => {
  deniedBy({}, [
    ["PUT where it is not listed", facts({ method: "PUT" }), "method-not-allowed", 405],
    ["HTTP/0.9", facts({ httpVersion: "0.9" }), "http-version", 505],
    ["HTTP/2.0 in the clear", facts({ httpVersion: "2.0" }), "http-version", 505],
    ["TRACE", facts({ method: "TRACE" }), "method-not-allowed", 405],
    ["CONNECT", facts({ method: "CONNECT" }), "method-not-allowed", 405],
    ["a method in small letters", facts({ method: "get" }), "method-not-allowed", 405],
    ...["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].map(
      (name): Row => [name, facts({ method: "POST" }, [...HOST, name, "DELETE"]), "method-override", 400],
    ),
    ...["GET", "HEAD", "DELETE"].flatMap((method): Row[] => [
      [`${method} with a length`, facts({ method }, [...HOST, "Content-Length", "1"]), "body-unexpected", 400],
      [`${method} with chunks`, facts({ method }, [...HOST, "Transfer-Encoding", "chunked"]), "body-unexpected", 400],
    ]),
    [
      "a length and a coding",
      facts({ method: "POST" }, [...HOST, "Content-Length", "5", "Transfer-Encoding", "chunked"]),
      "framing-ambiguous",
      400,
    ],
    [
      "a coding in HTTP/1.0",
      facts({ method: "POST", httpVersion: "1.0" }, [...HOST, "Transfer-Encoding", "chunked"]),
      "framing-ambiguous",
      400,
    ],
    ["a list of lengths", facts({ method: "POST" }, [...HOST, "Content-Length", "5, 5"]), "framing-ambiguous", 400],
    ["a signed length", facts({ method: "POST" }, [...HOST, "Content-Length", "+5"]), "framing-ambiguous", 400],
    [
      "another coding",
      facts({ method: "POST" }, [...HOST, "Transfer-Encoding", "gzip, chunked"]),
      "transfer-coding",
      501,
    ],
    ["another expectation", facts({}, [...HOST, "Expect", "100-continue, x"]), "expectation-failed", 417],
  ]);

  it("RFC 9110 section 15.5.6: 405 names the methods", () => {
    expect(decideEntry(facts({ method: "PUT" }), POLICY)).toMatchObject({
      problem: { headers: { Allow: "GET, HEAD, POST, DELETE, OPTIONS" } },
    });
  });
});
