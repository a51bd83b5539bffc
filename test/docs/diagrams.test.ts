import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger } from "@wardline/audit-event";
import { TRANSFORM_STAGES } from "@wardline/policy-types/express";
import { describe, expect, it } from "vitest";
import { blocksOf, ROOT, readPage } from "./support.ts";

/** The picture on a page that holds these words. */
function pictureOf(page: string, words: string): string {
  const found = blocksOf(page).find(({ text }) => text.includes(words));
  if (found === undefined) throw new Error(`${page} has no picture with ${words}`);
  return found.text;
}

const inOrder = (places: readonly number[]): boolean =>
  places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1));

/** The stages as docs/pipeline.md names them, and the call that mounts each in the gateway. */
const STAGES: readonly (readonly [name: string, call: string])[] = [
  ["context opened", "openContext(parts"],
  ["audit-event", "audit.middleware"],
  ["api-inventory", "inventory(req"],
  ["perimeter", "perimeter(perimeterOptions("],
  ["abuse-monitor", "push(monitor)"],
  ["throttle (door)", "throttles.door("],
  ["published", "push(documents)"],
  ["sign-in", "signIn?.mount("],
  ["dlp", "dlp(dlpOptions("],
  ["smart-auth", "smartAuth(auth)"],
  ["zone, networks", "requireMethodOf("],
  ["connections", "connections.perClient"],
  ["abuse-monitor", "monitor.afterAuthentication"],
  ["pools", "push(pools)"],
  ["throttle (tier)", "throttles.tier("],
  ["hostile input", "hostileBody({"],
  ["fhir-schema", "fhirSchema(schemaOptions("],
  ["phi-redact", "push(redaction("],
  ["requireControls", "requireControls(route.zone"],
  ["exports", "push(exports)"],
  ["upstream", "forward(req, res"],
];

describe("the stages of a request", () => {
  it("are mounted by the gateway in this order", () => {
    const source = readFileSync(join(ROOT, "packages/gateway/src/assemble.ts"), "utf8");
    const bodyOf = (name: string): string => {
      const start = source.indexOf(`function ${name}(`);
      return source.slice(start, source.indexOf("\n}\n", start));
    };
    // What every request passes, then sign-in, then the stages of its route.
    const assembled = ["doorStages(", "signIn?.mount(", "atItsRoute("].map((call) => bodyOf("assemble").indexOf(call));
    expect(inOrder(assembled)).toBe(true);
    const body = [bodyOf("doorStages"), "signIn?.mount(", bodyOf("routeStages")].join("\n");
    const mounted = STAGES.map(([name, call]) => [name, body.indexOf(call)] as const);
    expect(mounted.filter(([, place]) => place < 0)).toEqual([]);
    expect(inOrder(mounted.map(([, place]) => place))).toBe(true);
  });

  it("are drawn in docs/pipeline.md, each of them and no other", () => {
    const [way = ""] = pictureOf("docs/pipeline.md", "context opened").split("◀──");
    const drawn = [...way.matchAll(/──▶ (.+?) {2,}/g)].map(([, name]) => name);
    expect(drawn).toEqual(["door", ...STAGES.map(([name]) => name)]);
  });

  it.each([
    [
      "README.md",
      "request ──▶",
      ["audit ", "perimeter ", "throttle ", "smart-auth ", "throttle ", "fhir-schema ", "requireControls "],
    ],
    [
      "docs/threat-model.md",
      "internet",
      ["perimeter ▸", "door ▸", "smart-auth ▸", "tier ▸", "fhir-schema ▸", "requireControls ─"],
    ],
  ])("are drawn in the same order in %s", (page, words, names) => {
    const picture = pictureOf(page, words);
    let from = 0;
    const places = names.map((name) => {
      const place = picture.indexOf(name, from);
      from = place + 1;
      return place;
    });
    expect(inOrder(places)).toBe(true);
  });
});

describe("the way out", () => {
  it("is drawn in docs/pipeline.md with the stages of the body, in order", () => {
    expect(pictureOf("docs/pipeline.md", "context opened")).toContain(`one parse: ${TRANSFORM_STAGES.join(" ▶ ")}\n`);
  });
});

describe("who may import whom", () => {
  const known = readdirSync(join(ROOT, "packages"));
  const needs = (name: string): readonly string[] => {
    const { dependencies = {} } = JSON.parse(readPage(join("packages", name, "package.json"))) as {
      dependencies?: Record<string, string>;
    };
    return Object.keys(dependencies).flatMap((one) => (one.startsWith("@wardline/") ? [one.slice(10)] : []));
  };

  it("is drawn in docs/pipeline.md with every package, and none imports one drawn beside or behind it", () => {
    const columns = pictureOf("docs/pipeline.md", "policy-types ◀──")
      .split("◀──")
      .map((part) => part.split(/[,\s]+/).filter((word) => word !== ""));
    const levelOf = (name: string): number => columns.findIndex((names) => names.includes(name));
    expect(
      columns
        .flat()
        .filter((name) => name !== "examples")
        .sort(),
    ).toEqual([...known].sort());
    const wrong = known.flatMap((name) =>
      needs(name)
        .filter((one) => levelOf(one) >= levelOf(name))
        .map((one) => `${name} imports ${one}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("an entry of the ledger", () => {
  it("has the members that docs/explain/ledger.md draws, and links to the one before", async () => {
    const folder = await mkdtemp(join(tmpdir(), "drawn-ledger-"));
    const ledger = await openLedger({ folder });
    await ledger.append([{ n: 0 }, { n: 1 }]);
    await ledger.close();
    const lines = (await readFile(join(folder, "edge.0000000000000000.jsonl"), "utf8")).trimEnd().split("\n");
    const [before, after] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const drawn = new Set(pictureOf("docs/explain/ledger.md", "entry 7").match(/\b(?:seq|prev|event|hash)\b/g));
    expect([...drawn].filter((name) => !Object.hasOwn(after ?? {}, name))).toEqual([]);
    expect(drawn.size).toBe(4);
    expect(after?.["prev"]).toBe(before?.["hash"]);
    await rm(folder, { recursive: true });
  });
});

describe("pictures", () => {
  it("are all compared with the code by a test of this file, or said to need none", () => {
    const pages = [
      "README.md",
      ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".md") && !file.startsWith("adr/"))
        .map((file) => join("docs", file)),
      ...readdirSync(join(ROOT, "packages")).map((name) => join("packages", name, "README.md")),
    ];
    const drawn = pages
      .filter((page) => existsSync(join(ROOT, page)))
      .flatMap((page) =>
        blocksOf(page)
          .filter(({ text }) => /[─│▶◀▸]/.test(text))
          .map(() => page),
      );
    expect(drawn.sort()).toEqual([
      "README.md",
      "docs/explain/grant-and-guard.md", // ideas, not names: token, principal, grant, and what comes of it
      "docs/explain/ledger.md",
      "docs/explain/ledger.md", // the way to the disk: F9 is shown by packages/audit-event/test/express.test.ts
      "docs/pipeline.md",
      "docs/pipeline.md",
      "docs/threat-model.md",
    ]);
  });
});
