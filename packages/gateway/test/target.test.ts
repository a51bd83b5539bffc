import { parseInteraction } from "@wardline/fhir-r4";
import type { RequestContext } from "@wardline/policy-types/express";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientResponseHeaders } from "../src/proxy/headers.ts";
import { upstreamTarget } from "../src/proxy/target.ts";

function target(url: string, method = "GET"): string {
  const [path = "", query] = url.split(/\?(.*)/s);
  const interaction = parseInteraction({ method, path, ...(query === undefined ? {} : { query }) });
  return upstreamTarget({ interaction } as RequestContext, url, "/r4");
}

describe("what is asked of the upstream", () => {
  it.each([
    ["/Patient/1", "/r4/Patient/1"],
    ["/", "/r4"],
    ["/Patient/1?_format=xml&_elements=name", "/r4/Patient/1?_elements=name"],
    ["/Observation?code=http://loinc.org|1%2C2", "/r4/Observation?code=http%3A%2F%2Floinc.org%7C1%2C2"],
    ["/Patient?name=a+b&name=c%20d", "/r4/Patient?name=a%20b&name=c%20d"],
    ["/Patient?name=%C3%A9", "/r4/Patient?name=%C3%A9"],
    ["/Patient/1/$everything", "/r4/Patient/1/$everything"],
    ["/Patient/1/_history/2", "/r4/Patient/1/_history/2"],
    ["/Patient/a.b-c", "/r4/Patient/a.b-c"],
  ])("%s becomes %s", (url, expected) => {
    expect(target(url)).toBe(expected);
  });

  it("S6: every spelling of a query that is judged alike is asked alike", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("name", "_id", "family"), fc.string())), (pairs) => {
        const plain = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
        const every = (text: string): string =>
          [...new TextEncoder().encode(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
        const encoded = pairs.map(([name, value]) => `${every(name)}=${every(value)}`).join("&");
        expect(target(`/Patient?${encoded}`)).toBe(target(`/Patient?${plain}`));
      }),
    );
  });

  it("asks nothing that was not judged", () => {
    expect(() => target("/Patient%2f1")).toThrow(/mount smartAuth/);
    expect(() => upstreamTarget({} as RequestContext, "/Patient/1", "")).toThrow(/mount smartAuth/);
  });
});

it("hop-by-hop headers, those named by Connection, and fingerprints stay behind", () => {
  const passed = clientResponseHeaders(200, {
    "content-type": "application/fhir+json",
    etag: 'W/"1"',
    connection: "close, ETag",
    "keep-alive": "timeout=5",
    "transfer-encoding": "chunked",
    server: "secret",
    "set-cookie": ["a=b"],
    "x-powered-by": "secret",
  });
  expect(passed).toEqual([["content-type", "application/fhir+json"]]);
});

it("progress is told of work that goes on, and nowhere else", () => {
  const said = { "x-progress": "40 % of Peter Chalmers" };
  expect(clientResponseHeaders(202, said)).toEqual([["x-progress", said["x-progress"]]]);
  expect(clientResponseHeaders(200, said)).toEqual([]);
});
