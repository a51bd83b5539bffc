import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Detection, type Entity, phiScanner } from "../src/dlp/index.ts";

const FOLDER = fileURLToPath(new URL("../../../../shared/vectors/dlp/", import.meta.url));
const present = existsSync(FOLDER);

interface Span {
  readonly start: number;
  readonly end: number;
  readonly value: string;
  readonly type?: string;
  readonly confidence?: readonly [number, number];
}
interface Row {
  readonly id: string;
  readonly input: { readonly text: string; readonly entity?: string };
  readonly expect: { readonly count?: number; readonly spans?: readonly Span[] };
}

/** Kinds of the set and ours. Dates are dates of birth in some rows only, addresses of many countries: shown, not held to a figure. */
const KINDS: readonly (readonly [kind: string, entity: Entity, held: boolean])[] = [
  ["US_SSN", "ssn", true],
  ["US_MBI", "mbi", true],
  ["US_NPI", "npi", true],
  ["EMAIL_ADDRESS", "email", true],
  ["CREDIT_CARD", "card", true],
  ["IP_ADDRESS", "ip", true],
  ["PHONE_NUMBER", "phone", false],
  ["STREET_ADDRESS ADDRESS", "address", false],
  ["DATE_TIME", "birth-date", false],
];
/** The set's own doubt: below this the shape alone proves little, and staying silent is right. */
const DOUBTFUL = 0.4;

function load(file: string): Row[] {
  return JSON.parse(readFileSync(`${FOLDER}${file}.json`, "utf8")) as Row[];
}

interface Tally {
  right: number;
  missed: number;
  wrong: number;
  readonly examples: string[];
}

/** A detection counts as right when it overlaps a span of its kind, each span once. */
function tally(rows: readonly Row[], kind: string, entity: Entity): Tally {
  const scan = phiScanner({ entities: [entity] });
  const result: Tally = { right: 0, missed: 0, wrong: 0, examples: [] };
  for (const { id, input, expect: wanted } of rows) {
    if (input.entity !== undefined && input.entity !== kind) continue;
    const spans = spansOf(input.text, wanted, kind);
    const sure = spans.filter(({ confidence }) => (confidence?.[1] ?? 1) >= DOUBTFUL);
    const found = scan(input.text);
    const right = sure.filter((span) => found.some((detection) => overlaps(detection, span))).length;
    const wrong = found.filter((detection) => !spans.some((span) => overlaps(detection, span))).length;
    result.right += right;
    result.missed += sure.length - right;
    result.wrong += wrong;
    if (wrong > 0 || right < sure.length) result.examples.push(`${id} ${wrong > 0 ? "wrong" : "missed"}`);
  }
  return result;
}

/** Rows that give only a count are about their whole text. */
function spansOf(text: string, { count = 0, spans = [] }: Row["expect"], kind: string): readonly Span[] {
  if (spans.length === 0 && count === 1) return [{ start: 0, end: text.length, value: text }];
  return spans.filter(({ type }) => type === undefined || kind.split(" ").includes(type));
}

function overlaps(a: Pick<Detection, "start" | "end">, b: Pick<Span, "start" | "end">): boolean {
  return a.start < b.end && b.start < a.end;
}

const ratio = (part: number, rest: number): number => (part + rest === 0 ? 1 : part / (part + rest));

describe.skipIf(!present)(`labelled identifiers${present ? "" : " (skipped: ../shared/vectors/dlp is absent)"}`, () => {
  const rows = present ? ["identifiers", "sentences-a", "sentences-b"].flatMap(load) : [];
  for (const [kind, entity, held] of KINDS) {
    it(`${entity}: recall and precision${held ? " of at least 0.95" : " (shown)"}`, () => {
      const { right, missed, wrong, examples } = tally(rows, kind, entity);
      const recall = ratio(right, missed);
      const precision = ratio(right, wrong);
      console.log(
        `${entity}: recall ${recall.toFixed(3)} (${right} of ${right + missed}), precision ${precision.toFixed(3)} (${wrong} wrong)`,
      );
      expect(right + missed).toBeGreaterThan(0);
      if (!held) return;
      expect(recall, examples.join(", ")).toBeGreaterThanOrEqual(0.95);
      expect(precision, examples.join(", ")).toBeGreaterThanOrEqual(0.95);
    });
  }
});
