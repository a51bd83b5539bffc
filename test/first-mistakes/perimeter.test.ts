import { type PerimeterOptions, perimeter } from "@wardline/perimeter";
import { ask } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { mistakesAtStart, onExpress, open, warningsOf } from "./support.ts";

const start = (options: unknown) => () => perimeter(options as PerimeterOptions);

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "options that are none": [start(null), "give an object; known options are"],
    "a misspelled option": [start({ trustedProxy: ["10.0.0.0/8"] }), "did you mean `trustedProxies`?"],
    "S4: every proxy trusted": [start({ trustedProxies: ["0.0.0.0/0"] }), "name the proxies' own network"],
    "S4: Express's habit": [start({ trustedProxies: true }), "trustedProxies: write a list of CIDR ranges"],
    "a range with host bits": [start({ trustedProxies: ["10.1.2.3/8"] }), "without host bits, like 10.0.0.0/8"],
    "S4: a forwarding header let in": [
      start({ requestHeaders: ["x-forwarded-for"] }),
      "a client could forge it; name the proxies in `trustedProxies` instead",
    ],
    "S7: a public pattern": [start({ publicPaths: [{ method: "GET", path: "/public/*" }] }), "write the exact path"],
    "a public path without its method": [start({ publicPaths: ["/fhir/metadata"] }), "write { method, path }"],
    "nobody admitted": [start({ addresses: { allow: [] } }), "leave it out to admit every address"],
    "a method in small letters": [start({ methods: ["get"] }), "write a method in capitals"],
  });
});

onExpress((make) => {
  async function warned(options: PerimeterOptions, prepare: (app: ReturnType<typeof make>) => void, times = 1) {
    const app = make();
    prepare(app);
    app.use(perimeter(options), (_req, res) => void res.end("served"));
    const origin = await open(app);
    const codes: (string | undefined)[] = [];
    const headers = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" };
    const said = await warningsOf(async () => {
      for (let time = 0; time < times; time++) codes.push((await ask(origin, { headers })).code);
    });
    return { codes, said };
  }

  it("behind a load balancer that nobody named: refused, and told once where to name it", async () => {
    const { codes, said } = await warned({}, () => undefined, 2);
    expect(codes).toEqual(["perimeter/https-required", "perimeter/https-required"]);
    expect(said).toEqual([
      expect.stringMatching(/^WARDLINE_PROXY_UNKNOWN: .*write your load balancer's network there/),
    ]);
  });

  it("named, it is believed and nothing is told", async () => {
    expect(await warned({ trustedProxies: ["127.0.0.1"] }, () => undefined)).toEqual({ codes: [undefined], said: [] });
  });

  it("S4: `trust proxy` for everybody: refused, and told what to write", async () => {
    const { codes, said } = await warned({ development: true }, (app) => app.set("trust proxy", true), 2);
    expect(codes).toEqual(["perimeter/trust-proxy-open", "perimeter/trust-proxy-open"]);
    expect(said).toEqual([expect.stringContaining("name your proxies in it, and in perimeter's `trustedProxies`")]);
  });
});
