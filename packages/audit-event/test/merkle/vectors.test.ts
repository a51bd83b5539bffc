import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/canonical.ts";
import { verifyConsistency, verifyInclusion } from "../../src/merkle/proofs.ts";
import { verifySubtreeConsistency, verifySubtreeInclusion } from "../../src/merkle/subtrees.ts";
import { CompactTree, hashLeaf } from "../../src/merkle/tree.ts";

const FOLDER = new URL("../../../../../shared/vectors/merkle/", import.meta.url);
const absent = !existsSync(FOLDER);
if (absent) console.log("the shared Merkle vectors are absent: their tests are skipped");

interface Row {
  readonly id: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expect: unknown;
}
const rows = (file: string): Row[] =>
  absent ? [] : (JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Row[]);
const bytes = (text: unknown): Buffer => Buffer.from(String(text), "base64");
const proof = (list: unknown): Buffer[] => ((list ?? []) as string[]).map(bytes);

describe.skipIf(absent)("the shared Merkle vectors (RFC 9162, RFC 8785)", () => {
  it("inclusion", () => {
    const all = rows("inclusion.json");
    expect(all.length).toBeGreaterThan(50);
    for (const { id, input, expect: wanted } of all) {
      const { leafIdx, treeSize, root, leafHash } = input;
      const facts = {
        index: leafIdx as number,
        size: treeSize as number,
        leafHash: bytes(leafHash),
        proof: proof(input["proof"]),
        root: bytes(root),
      };
      expect([id, verifyInclusion(facts) ? "accept" : "reject"]).toEqual([id, wanted]);
    }
  });

  it("consistency", () => {
    const all = rows("consistency.json");
    expect(all.length).toBeGreaterThan(40);
    for (const { id, input, expect: wanted } of all) {
      const facts = {
        first: input["size1"] as number,
        second: input["size2"] as number,
        firstRoot: bytes(input["root1"]),
        secondRoot: bytes(input["root2"]),
        proof: proof(input["proof"]),
      };
      expect([id, verifyConsistency(facts) ? "accept" : "reject"]).toEqual([id, wanted]);
    }
  });

  it("inclusion in a subtree", () => {
    const all = rows("subtreeinclusion.json");
    expect(all.length).toBeGreaterThan(100);
    for (const { id, input, expect: wanted } of all) {
      const facts = {
        index: input["leafIdx"] as number,
        subtree: { start: input["start"] as number, end: input["end"] as number },
        leafHash: bytes(input["leafHash"]),
        proof: proof(input["proof"]),
        root: bytes(input["root"]),
      };
      expect([id, verifySubtreeInclusion(facts) ? "accept" : "reject"]).toEqual([id, wanted]);
    }
  });

  it("a subtree is a part of the tree", () => {
    const all = rows("subtreeconsistency.json");
    expect(all.length).toBeGreaterThan(50);
    for (const { id, input, expect: wanted } of all) {
      const facts = {
        subtree: { start: input["start"] as number, end: input["end"] as number },
        size: input["size"] as number,
        subtreeRoot: bytes(input["root1"]),
        treeRoot: bytes(input["root2"]),
        proof: proof(input["proof"]),
      };
      expect([id, verifySubtreeConsistency(facts) ? "accept" : "reject"]).toEqual([id, wanted]);
    }
  });

  it("trees", () => {
    const all = rows("trees.json");
    expect(all.length).toBe(9);
    for (const { id, input, expect: wanted } of all) {
      const tree = new CompactTree();
      const leafHashesHex = (input["leavesHex"] as string[]).map((hex) => {
        const leafHash = hashLeaf(Buffer.from(hex, "hex"));
        tree.append(leafHash);
        return leafHash.toString("hex");
      });
      expect({ id, rootHex: tree.root().toString("hex"), leafHashesHex }).toEqual({ id, ...(wanted as object) });
    }
  });

  it("canonical JSON", () => {
    const all = rows("rfc8785.json");
    expect(all.length).toBeGreaterThan(4);
    for (const { id, input, expect: wanted } of all) {
      const text = canonicalJson(JSON.parse(String(input["text"])));
      expect({ id, text, hex: Buffer.from(text).toString("hex") }).toEqual({ id, ...(wanted as object) });
    }
  });
});

describe("canonical JSON", () => {
  it.each([
    ["a lone surrogate", "\ud800"],
    ["a name with one", { "\udc00": 1 }],
    ["NaN", Number.NaN],
    ["infinity", [Number.POSITIVE_INFINITY]],
    ["undefined", { a: undefined }],
    ["a bigint", 1n],
  ])("refuses %s", (_what, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it("sorts names by code units and writes numbers as ECMAScript does", () => {
    const value = { "\ufb33": 7, "\u{1f600}": 6, "€": 5, ö: 4, "\u0080": 3, "1": 2, "\r": 1, n: [-0, 1e30, 2.0, 4.5] };
    expect(canonicalJson(value)).toBe(
      '{"\\r":1,"1":2,"n":[0,1e+30,2,4.5],"\u0080":3,"ö":4,"€":5,"\u{1f600}":6,"\ufb33":7}',
    );
  });
});
