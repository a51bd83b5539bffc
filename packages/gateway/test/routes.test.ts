import type { RoutePolicy } from "@wardline/policy-types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { routeFinder } from "../src/routes.ts";

it("S5: a path of as many segments as a request may have is looked up as quickly as any", () => {
  const find = routeFinder([{ path: "/fhir" }, { path: "/payer/fhir" }] as RoutePolicy[]);
  const long = "/x".repeat(100_000);
  // At a look for each of its segments, each as long as what is before it, this would take minutes.
  for (let count = 0; count < 50; count++) {
    expect(find(`${long}${count}`)).toBeUndefined();
    expect(find(`/fhir${long}${count}`)?.path).toBe("/fhir");
  }
});

it("finds the longest route of whole segments, however many there are", () => {
  const segment = fc.constantFrom("a", "b", "fhir", "Fhir", "%61");
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(
      fc.uniqueArray(path, { maxLength: 12 }),
      path,
      fc.constantFrom("", "/", "/x", "x", "?a=/b"),
      (paths, asked, rest) => {
        const routes = paths.map((one) => ({ path: one }) as RoutePolicy);
        const bare = `${asked}${rest}`.split("?", 1)[0] ?? "";
        const expected = [...routes]
          .sort((a, b) => b.path.length - a.path.length)
          .find((route) => bare === route.path || bare.startsWith(`${route.path}/`));
        expect(routeFinder(routes)(`${asked}${rest}`)).toBe(expected);
      },
    ),
  );
});
