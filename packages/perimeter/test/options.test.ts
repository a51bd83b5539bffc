import { ConfigurationError } from "@wardline/policy-types";
import { describe, expect, it } from "vitest";
import { type PerimeterOptions, perimeter } from "../src/index.ts";
import { parseOptions } from "../src/options.ts";

const issuesOf = (options: object): [string, string][] => {
  try {
    parseOptions(options as PerimeterOptions);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ path, code }) => [path, code]);
  }
  return [];
};

describe("options", () => {
  it("need nothing", () => {
    const parsed = parseOptions({});
    expect(parsed).toMatchObject({
      requireHttps: true,
      development: false,
      maxHeaders: 64,
      maxHeaderBytes: 16_384,
      maxUrlBytes: 8192,
    });
    expect(parsed.trustedProxy("127.0.0.1")).toBe(false);
    expect(Object.isFrozen(parsed)).toBe(true);
  });

  it.each<[string, object, [string, string][]]>([
    ["a misspelled name", { requireHttp: true }, [["requireHttp", "unknown-option"]]],
    ["a truthy word", { development: "no" }, [["development", "not-a-boolean"]]],
    ["no limit", { maxHeaders: 0 }, [["maxHeaders", "not-a-positive-integer"]]],
    ["an endless limit", { maxUrlBytes: Number.POSITIVE_INFINITY }, [["maxUrlBytes", "not-a-positive-integer"]]],
    ["S4: all of IPv4", { trustedProxies: ["0.0.0.0/0"] }, [["trustedProxies[0]", "range-too-wide"]]],
    ["S4: half of IPv4", { trustedProxies: ["128.0.0.0/1"] }, [["trustedProxies[0]", "range-too-wide"]]],
    ["S4: all of IPv6", { trustedProxies: ["::/0"] }, [["trustedProxies[0]", "range-too-wide"]]],
    ["S4: all of IPv4, mapped", { trustedProxies: ["::ffff:0.0.0.0/96"] }, [["trustedProxies[0]", "range-too-wide"]]],
    ["host bits", { trustedProxies: ["10.0.0.1/8"] }, [["trustedProxies[0]", "not-a-range"]]],
    ["a name", { trustedProxies: ["loopback"] }, [["trustedProxies[0]", "not-a-range"]]],
    ["no list", { trustedProxies: "10.0.0.0/8" }, [["trustedProxies", "not-a-list"]]],
    ["nobody allowed", { addresses: { allow: [] } }, [["addresses.allow", "empty"]]],
    ["TRACE", { methods: ["GET", "TRACE"] }, [["methods[1]", "method-refused"]]],
    ["a small method", { methods: ["get"] }, [["methods[0]", "not-valid"]]],
    ["no method", { methods: [] }, [["methods", "empty"]]],
    ["S4: a forgeable header", { requestHeaders: ["X-Forwarded-For"] }, [["requestHeaders[0]", "forwarding-header"]]],
    [
      "S7: a pattern as public path",
      { publicPaths: [{ method: "GET", path: "/fhir/*" }] },
      [["publicPaths[0].path", "not-valid"]],
    ],
    [
      "S7: a query in a public path",
      { publicPaths: [{ method: "GET", path: "/x?y" }] },
      [["publicPaths[0].path", "not-valid"]],
    ],
    ["hsts of nothing", { hsts: { maxAgeSeconds: -1 } }, [["hsts.maxAgeSeconds", "not-a-positive-integer"]]],
    ["zones that are none", { addresses: { zones: "private-networks" } }, [["addresses.zones", "not-an-object"]]],
    ["zones that are null", { addresses: { zones: null } }, [["addresses.zones", "not-an-object"]]],
    ["rules that are none", { hostileInput: 5 }, [["hostileInput", "not-an-object"]]],
    [
      "every mistake at once",
      { maxHeaders: 1.5, methods: ["TRACE"], publicPaths: 1 },
      [
        ["maxHeaders", "not-a-positive-integer"],
        ["methods[0]", "method-refused"],
        ["publicPaths", "not-a-list"],
      ],
    ],
  ])("refuse %s", (_what, options, issues) => {
    expect(issuesOf(options)).toEqual(issues);
    expect(() => perimeter(options as PerimeterOptions)).toThrow(ConfigurationError);
  });

  it("fc00::/7 and 10.0.0.0/8 are narrow enough for proxies", () => {
    expect(issuesOf({ trustedProxies: ["fc00::/7", "10.0.0.0/8"] })).toEqual([]);
  });
});
