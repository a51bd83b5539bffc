import { describe, expect, it } from "vitest";
import { isNarrative } from "../../src/resources/narrative.ts";
import { PRIMITIVES } from "../../src/resources/primitives.ts";

function accepts(type: string, value: unknown): boolean {
  const primitive = PRIMITIVES.get(type);
  if (primitive?.json === "string" && typeof value === "string") return primitive.check(value);
  if (primitive?.json === "number" && typeof value === "number") return primitive.check(value);
  throw new Error(`${type} is another kind of value`);
}

/** Accepted forms, then refused ones. */
const FORMS: readonly (readonly [type: string, right: readonly unknown[], wrong: readonly unknown[]])[] = [
  [
    "date",
    ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-12-31"],
    [
      "",
      "24",
      "0000",
      "2023-02-29",
      "1900-02-29",
      "1987-02-30",
      "2024-04-31",
      "2024-13",
      "2024-00",
      "2024-1-1",
      "2024-01-00",
      "2024-01-01T",
      "2024-01-01Z",
      "20240101",
      " 2024",
      "2024-02-2a",
    ],
  ],
  [
    "dateTime",
    ["2024", "2024-02-29", "2024-02-29T00:00:00Z", "2024-01-01T23:59:60.123+14:00", "2024-01-01T10:00:00-13:59"],
    [
      "2024-01-01T10:00Z",
      "2024-01-01T10:00:00",
      "2024-02-30T10:00:00Z",
      "2024-01-01T24:00:00Z",
      "2024-01-01T10:00:00+14:01",
      "2024-01-01T10:00:00+0100",
      "2024-01T10:00:00Z",
      "2024-01-01 10:00:00Z",
      "2024-01-01T10:00:00.Z",
    ],
  ],
  [
    "instant",
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000001-05:00"],
    ["2024", "2024-02-29", "2024-02-29T00:00:00", "2023-02-29T00:00:00Z"],
  ],
  ["time", ["00:00:00", "23:59:60", "10:00:00.5"], ["24:00:00", "10:00", "10:00:00Z", "1:00:00", "10:60:00"]],
  ["integer", [0, -5, 2_147_483_647, -2_147_483_648], [1.5, 2_147_483_648, -2_147_483_649, Number.NaN]],
  ["unsignedInt", [0, 2_147_483_647], [-1, 0.5]],
  ["positiveInt", [1], [0, -1]],
  ["decimal", [0, -1.5, 1e300], [Number.POSITIVE_INFINITY, Number.NaN]],
  ["string", ["x", " x ", "a\nb\tc\r", "é\u00a0€"], ["", "a\u0000", "\u0008", "\u001b[31m"]],
  ["markdown", ["# x\n\ny"], ["", "\u0001"]],
  ["code", ["a", "a b", "a-b.c"], ["", " a", "a ", "a  b"]],
  ["uri", ["http://example.org/x y".replace(" ", "%20"), "urn:oid:1.2", "x"], ["", "a b", "a\n"]],
  ["url", ["https://example.org"], ["https://example.org/a b"]],
  ["canonical", ["http://example.org/q|1.0#a"], ["http://example.org/q |1"]],
  ["id", ["a", "A-1.b", "x".repeat(64)], ["", "x".repeat(65), "a_b", "a/b", "a\n"]],
  ["oid", ["urn:oid:1.2.840.0"], ["1.2", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"]],
  [
    "uuid",
    ["urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"],
    ["61ebe359-bfdc-4613-8bf2-c5e300945f0a", "urn:uuid:61EBE359-bfdc-4613-8bf2-c5e300945f0a"],
  ],
  [
    "base64Binary",
    ["aGk=", "AA==", "a+/9", "aGk=\n", "aGkh aGkh"],
    ["", "a", "aGk", "aG=k", "aGk==", "====", "a.b=", "aG-_", "AAA=AAAA"],
  ],
  [
    "reference",
    [
      "Patient/1",
      "Patient/1/_history/2",
      "#a",
      "#",
      "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
      "https://example.org/fhir/Patient/1",
      "Patient?identifier=a|b",
    ],
    ["", "patient/1", "Patient/", "Foo/1", "/Patient/1", "Patient/1/2", "Foo?a=b", "Patient?", "Patient?a= b"],
  ],
];

describe.each(FORMS)("the form of %s", (type, right, wrong) => {
  it.each(right)("accepts %j", (value) => expect(accepts(type, value)).toBe(true));
  it.each(wrong)("refuses %j", (value) => expect(accepts(type, value)).toBe(false));
});

describe("no form takes long on long text (S10)", () => {
  // A linear check needs milliseconds for these; a quadratic one minutes, and the test would run out of time.
  const long = [
    " ".repeat(300_000),
    "a ".repeat(150_000),
    "a".repeat(300_000),
    "=".repeat(300_000),
    "<div ".repeat(60_000),
    "<div>".repeat(60_000),
    `<div>${"&".repeat(300_000)}`,
    `<div>${"<!--".repeat(60_000)}`,
    `<div ${"a='".repeat(90_000)}`,
    `<div style="${"url (".repeat(60_000)}"/>`,
    `<div><a href="${"a".repeat(300_000)}"/></div>`,
    "urn:oid:1".padEnd(300_000, ".1"),
    "2024-01-01T10:00:00.".padEnd(300_000, "1"),
  ];
  it.each([...PRIMITIVES.keys()])("%s", (type) => {
    if (PRIMITIVES.get(type)?.json !== "string") return;
    for (const text of long) expect(accepts(type, `${text}!`)).toBeTypeOf("boolean");
  });
});

describe("isNarrative", () => {
  it.each([
    '<div xmlns="http://www.w3.org/1999/xhtml">text</div>',
    "  <div>a &amp; b &#160; &#xA0; &lt;</div>\n",
    "<div><!-- why --><p class='x' style='color: red'>a<br/>b<br /></p></div>",
    '<div><a href="http://example.org">x</a><a href="#b" name="c">y</a><a href="Patient/1">z</a><a href="mailto:a@b">m</a></div>',
    '<div><img src="#i" alt="x"/><img src="data:image/png;base64,AAAA"/><img src="data: image/png;base64,AAAA"/></div>',
    '<div><table border="1"><tr><td colspan="2">x</td></tr></table></div>',
    "<div/>",
    '<div xml:lang="de" lang="de">x</div>',
    "<div>\u00e9\u20ac\ud83d\ude00<b title='\u20ac'>&amp;</b>\u013c<a href='#\u00e9'>x</a></div>",
    `<div>${"a abbr blockquote col colgroup h1 h6 tt ul var"
      .split(" ")
      .map((name) => `<${name}>x</${name} >`)
      .join("")}</div>`,
  ])("accepts %j", (xhtml) => expect(isNarrative(xhtml)).toBe(true));

  it.each([
    "",
    "text",
    "<p>no div</p>",
    "<div>open",
    "<div>a</p>",
    "<div><b><i></b></i></div>",
    "<div>a</div><div>b</div>",
    "<div>a</div>b",
    "<div>&nbsp;</div>",
    "<div>a & b</div>",
    "<div>a < b</div>",
    "<div>\u20ac<a href='javascript:x'>a</a></div>",
    "<div>\u20ac&nbsp;</div>",
    "<div>\u20ac<b style='url(x)'>a</b></div>",
    ...["colg", "colx", "h7", "h", "divs", "DIV", "d\u0131v", "b-x", "b_"].map(
      (name) => `<div><${name}>x</${name}></div>`,
    ),
    "<div><b>x</big></div>",
    "<div><big>x</b></div>",
    "<div><script>x</script></div>",
    "<div><SCRIPT>x</SCRIPT></div>",
    "<div><svg/></div>",
    "<div><iframe src='x'/></div>",
    "<div><form/></div>",
    "<div><input/></div>",
    "<div><object/></div>",
    "<div><link rel='x'/></div>",
    "<div><style>x</style></div>",
    "<div><x:div/></div>",
    "<div onclick='x'>a</div>",
    "<div ONLOAD='x'>a</div>",
    "<div><img src='x' onerror='y'/></div>",
    "<div><img src='x'onerror='y'/></div>",
    "<div><img src=x /></div>",
    "<div><img hidden/></div>",
    "<div><a href='javascript:x'>a</a></div>",
    "<div><a href='JaVaScRiPt:x'>a</a></div>",
    "<div><a href=' javascript:x'>a</a></div>",
    "<div><a href='java\tscript:x'>a</a></div>",
    "<div><a href='java&#115;cript:x'>a</a></div>",
    "<div><a href='javascript&#58;x'>a</a></div>",
    "<div><a href='javascript&colon;x'>a</a></div>",
    "<div><a href='vbscript:x'>a</a></div>",
    "<div><a href='data:text/html,x'>a</a></div>",
    "<div><img src='data:image/svg+xml;base64,AAAA'/></div>",
    "<div><a xlink:href='javascript:x'>a</a></div>",
    "<div style='background: url(http://x)'>a</div>",
    "<div style='width: expression(x)'>a</div>",
    "<div style='b\\65havior: x'>a</div>",
    "<div style='&#117;rl(x)'>a</div>",
    "<div><![CDATA[x]]></div>",
    "<!DOCTYPE div><div/>",
    "<?xml version='1.0'?><div/>",
    "<div><!-- x </div>",
    "<div><!--><script>x</script>--></div>",
    "<div><!---><script>x</script>--></div>",
    "<div><!-- --!><script>x</script>--></div>",
    "<div><!-- a -- b --></div>",
    "<div><!x></div>",
    "<div title='<b>'>a</div>",
    "<div class='x'lang='y'>a</div>",
    "<div></div",
    "<div/",
    `${"<div>".repeat(101)}${"</div>".repeat(101)}`,
  ])("refuses %j", (xhtml) => expect(isNarrative(xhtml)).toBe(false));
});
