import { ConfigurationError } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { askPort, EXPRESS, listenOnPort } from "@wardline-tools/test-kit";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { type AddressGuardOptions, addressGuard, type PerimeterOptions, perimeter } from "../src/index.ts";

const FROM = (address: string): string[] => [
  "Host",
  "fhir.example.org",
  "X-Forwarded-Proto",
  "https",
  "X-Forwarded-For",
  address,
];
const BEHIND: PerimeterOptions = { trustedProxies: ["127.0.0.0/8"] };

describe.each(EXPRESS)("who may come from where, on %s", (_name, express) => {
  async function serve(
    options: PerimeterOptions,
    prepare: (context: ReturnType<typeof contextOf>) => void = () => undefined,
  ): Promise<number> {
    const app = express();
    app.use((req, _res, next) => {
      prepare(contextOf(req));
      next();
    });
    app.use(perimeter({ ...BEHIND, ...options }), (req: Request, res: Response) => void res.json(req.headers));
    return listenOnPort(app);
  }

  it("each zone from its own networks", async () => {
    const addresses = { zones: { internal: "private-networks", device: ["192.0.2.0/24"] } } as const;
    const internal = await serve({ addresses }, (context) => {
      context.zone = "internal";
    });
    const refusal = [403, "perimeter/zone-address-not-allowed"];
    const codeFrom = async (port: number, address: string): Promise<unknown[]> => {
      const { status, code } = await askPort(port, { headers: FROM(address) });
      return [status, code];
    };
    expect(await codeFrom(internal, "10.1.2.3")).toEqual([200, undefined]);
    expect(await codeFrom(internal, "fd00::1")).toEqual([200, undefined]);
    expect(await codeFrom(internal, "192.0.2.7")).toEqual(refusal);
    expect(await codeFrom(internal, "unknown")).toEqual(refusal);
    const device = await serve({ addresses }, (context) => {
      context.zone = "device";
    });
    expect(await codeFrom(device, "192.0.2.7")).toEqual([200, undefined]);
    expect(await codeFrom(device, "10.1.2.3")).toEqual(refusal);
    const patient = await serve({ addresses }, (context) => {
      context.zone = "patient";
    });
    expect(await codeFrom(patient, "198.51.100.1")).toEqual([200, undefined]);
  });

  it.each(["/internal", "/internal/a", "/INTERNAL/a", "/%69nternal/a", "/internal?x=1"])(
    "a private route is reached from inside only, spelled %s",
    async (target) => {
      const port = await serve({ addresses: { privatePaths: ["/internal"] } });
      const outside = await askPort(port, { target, headers: FROM("198.51.100.1") });
      expect([outside.status, outside.code]).toEqual([403, "perimeter/route-is-private"]);
      expect((await askPort(port, { target, headers: FROM("10.0.0.9") })).status).toBe(200);
      expect((await askPort(port, { target: "/internals", headers: FROM("198.51.100.1") })).status).toBe(200);
    },
  );

  it("a device class from its own networks, a caller without a class from none", async () => {
    for (const [device, address, status] of [
      ["pump", "10.20.1.1", 200],
      ["pump", "10.30.1.1", 403],
      ["unlisted", "10.20.1.1", 403],
      [undefined, "10.20.1.1", 403],
    ] as const) {
      const app = express();
      app.use(perimeter(BEHIND));
      app.use(addressGuard({ classes: { pump: ["10.20.0.0/16"] }, classOf: () => device }));
      app.use((_req: Request, res: Response) => void res.json({}));
      expect((await askPort(await listenOnPort(app), { headers: FROM(address) })).status).toBe(status);
    }
    expect(() => addressGuard({ classes: { pump: [] } })).toThrow("mistake");
  });

  it.each<[string, object]>([
    ["no classes", {}],
    ["classes that are none", { classes: "10.20.0.0/16" }],
    ["a range that is no text", { classes: { pump: [10] } }],
    ["a class that is named and not found", { classes: { pump: ["10.20.0.0/16"] }, classOf: "pump" }],
  ])("A5: %s stops the start", (_what, options) => {
    expect(() => addressGuard(options as AddressGuardOptions)).toThrow(ConfigurationError);
  });

  it.each(["unknown", "10.20.1.1, unknown", "10.20.1.1, _hidden"])(
    "S4: who comes from an address its proxy does not say does not come from the proxy's: %s",
    async (address) => {
      const app = express();
      let seen: string | undefined;
      app.use(perimeter(BEHIND), (req: Request, _res: Response, next: () => void) => {
        seen = contextOf(req).clientAddress;
        next();
      });
      app.use(addressGuard({ classes: { pump: ["127.0.0.0/8", "10.20.0.0/16"] }, classOf: () => "pump" }));
      app.use((_req: Request, res: Response) => void res.json({}));
      const answer = await askPort(await listenOnPort(app), { headers: FROM(address) });
      expect([answer.status, answer.code]).toEqual([403, "perimeter/zone-address-not-allowed"]);
      expect(seen).toBe("unknown");
    },
  );

  it("421 for a host that is not ours", async () => {
    const port = await serve({ hosts: ["fhir.example.org", "other.example:8443"] });
    const status = async (host: string): Promise<unknown[]> => {
      const { status: given, code } = await askPort(port, { headers: ["Host", host, ...FROM("10.0.0.1").slice(2)] });
      return [given, code];
    };
    expect(await status("fhir.example.org")).toEqual([200, undefined]);
    expect(await status("FHIR.example.org:443")).toEqual([200, undefined]);
    expect(await status("other.example:8443")).toEqual([200, undefined]);
    for (const host of ["evil.example", "other.example", "fhir.example.org.evil.example", "127.0.0.1"]) {
      expect(await status(host)).toEqual([421, "perimeter/host-not-ours"]);
    }
  });

  it("S4: a certificate header of a terminator passes from it alone, and once", async () => {
    const options: PerimeterOptions = { clientCertificateHeader: "X-SSL-Client-Cert" };
    const sent = [...FROM("10.0.0.1"), "X-SSL-Client-Cert", "abc"];
    const behind = await serve(options);
    expect(JSON.parse((await askPort(behind, { headers: sent })).text)).toHaveProperty("x-ssl-client-cert", "abc");
    const twice = await askPort(behind, { headers: [...sent, "x-ssl-client-cert", "def"] });
    expect([twice.status, twice.code]).toEqual([400, "perimeter/header-repeated"]);
    const open = await serve({ ...options, trustedProxies: [], requireHttps: false });
    expect(JSON.parse((await askPort(open, { headers: sent })).text)).not.toHaveProperty("x-ssl-client-cert");
    expect(() => perimeter({ ...options, requestHeaders: ["x-ssl-client-cert"] })).toThrow("mistake");
  });
});
