import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { elasticSink, fhirSink, ndjsonSink, s3Sink, splunkSink, syslogSink, winstonSink } from "../../src/index.ts";

const client = { putObject: () => Promise.resolve({}) };
const url = "https://siem.example.org";

const SINKS: Readonly<
  Record<string, readonly [(options: never) => unknown, object, Readonly<Record<string, object>>]>
> = {
  syslog: [
    syslogSink,
    { host: "siem.example.org", hostname: "edge-1" },
    {
      "host required": { host: undefined },
      "hostname required": { hostname: "" },
      "port out-of-range": { port: "6514" },
      "enterpriseNumber out-of-range": { enterpriseNumber: "1" },
      "appName malformed": { appName: 7 },
      "tls.rejectUnauthorized unknown-option": { tls: { rejectUnauthorized: false } },
      "hots unknown-option": { hots: "siem" },
    },
  ],
  ndjson: [
    ndjsonSink,
    { folder: "/var/audit" },
    { "folder required": { folder: undefined }, "fileBytes out-of-range": { fileBytes: "64" } },
  ],
  winston: [
    winstonSink,
    { to: { write: () => true } },
    { "to not-a-logger": { to: {} }, "level malformed": { level: 3 } },
  ],
  s3: [
    s3Sink,
    { client, bucket: "audit" },
    {
      "client required": { client: {} },
      "bucket required": { bucket: "" },
      "prefix malformed": { prefix: null },
      "retainDays out-of-range": { retainDays: "2200" },
      "mode unknown-value": { mode: "compliance" },
      "now not-a-function": { now: 5 },
    },
  ],
  fhir: [
    fhirSink,
    { url },
    {
      "url malformed": { url: "http://siem.example.org" },
      "headers malformed": { headers: "Bearer x" },
      "tls malformed": { tls: true },
    },
  ],
  elastic: [
    elasticSink,
    { url, index: "audit" },
    { "index required": { index: undefined }, "url malformed": { url: undefined } },
  ],
  splunk: [
    splunkSink,
    { url, token: "t" },
    {
      "token required": { token: undefined },
      "sourcetype malformed": { sourcetype: "" },
      "headers unknown-option": { headers: {} },
    },
  ],
};

const issuesOf = (make: (options: never) => unknown, options: object): string[] => {
  try {
    make(options as never);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ path, code }) => `${path} ${code}`);
  }
};

describe.each(Object.entries(SINKS))("the %s sink", (_name, [make, good, mistakes]) => {
  it("takes what it needs", () => {
    expect(issuesOf(make, { ...good, name: "mine", limits: { deadlineMs: 5000 } })).toEqual([]);
  });

  it.each(Object.entries(mistakes))("is not made with a mistake: %s", (expected, mistake) => {
    expect(issuesOf(make, { ...good, ...mistake })).toEqual([expected]);
  });

  it("tells all its mistakes at once", () => {
    const options = { ...good, name: 5, limits: { deadline: 1 }, nam: "x", ...Object.values(mistakes)[0] };
    expect(issuesOf(make, options)).toEqual(
      expect.arrayContaining([
        "nam unknown-option",
        "name malformed",
        "limits.deadline unknown-option",
        Object.keys(mistakes)[0],
      ]),
    );
  });
});
