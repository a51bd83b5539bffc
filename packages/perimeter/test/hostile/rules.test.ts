import { describe, expect, it } from "vitest";
import { inspectParameters, inspectPath, inspectText } from "../../src/hostile/inspect.ts";
import { hostilePolicy } from "../../src/hostile/options.ts";
import type { Surface } from "../../src/hostile/rule.ts";
import { HOSTILE_RULES } from "../../src/index.ts";

const policy = hostilePolicy({});

/** A rule, where, what it must find, and what looks like it and must pass. */
const ROWS: readonly (readonly [
  rule: string,
  surface: Surface,
  found: readonly string[],
  passes: readonly string[],
])[] = [
  [
    "sql/union-select",
    "parameter",
    ["1 UNION ALL SELECT null", "x')/**/union/**/select 1", "1%20union%20select%202"],
    ["credit union", "union of both select bones"],
  ],
  [
    "sql/select",
    "parameter",
    ["(SELECT * FROM users)", "select case when 1 then 2"],
    ["please select from the list", "SELECT Healthcare"],
  ],
  [
    "sql/stacked-statement",
    "parameter",
    ["1; DROP TABLE patients", "x'; exec xp_cmdshell"],
    ["pain; update tomorrow", "drop foot; create plan"],
  ],
  [
    "sql/statement",
    "parameter",
    ["INSERT INTO t (a) VALUES (1)", "delete from users where id"],
    ["insert into vein", "delete from chart"],
  ],
  [
    "sql/always-true",
    "parameter",
    ["1 OR 1=1", "x' or 'a'='a", "1 or 2>1"],
    ["(<<404684003 OR <<71388002): 116676008 = <<79654002", "1 or 2 tablets"],
  ],
  ["sql/literal-closed", "parameter", ["x' or email like 'a", "admin';"], ["O'Brien or O'Neil", "D'Angelo and sons"]],
  ["sql/comment-after-literal", "parameter", ["admin'--", "x' #"], ["HbA1c -- 7.2", "O'Brien #2"]],
  ["sql/literals-compared", "parameter", ["x' 'a'='b", "q='x'!='y"], ["'quoted' and \"double\""]],
  [
    "sql/function",
    "parameter",
    ["group_concat(a)", "unhex(41)", "1,md5(1)"],
    ["Herslo (1475)", "the likelihood (of x)", "lower (left)"],
  ],
  ["sql/delay", "parameter", ["1 waitfor delay 5", "x,pg_sleep(1)", "sleep(5)"], ["sleep (e.g. naps)"]],
  ["sql/catalogue", "parameter", ["information_schema", "sqlite_master", "pg_catalog.x"], ["catalogue of information"]],
  ["sql/cast", "parameter", ["password::int"], ["urn:oid:1.2.3", "a::b"]],
  ["sql/operator-fragment", "parameter", [") like (", "if(2=1"], ["(a) or (b)", "if (age < 18)"]],
  ["nosql/operator-name", "parameter-name", ["id[$ne]", "$where"], ["_has:Observation:patient:code", "code:text"]],
  ["nosql/operator-value", "parameter", ['{"$gt":""}'], ["$everything", "{a}"]],
  [
    "ldap/filter-closed",
    "parameter",
    ["*)(uid=*", "x)(|(cn=*", "a)!(sn=*"],
    ["(a+b)*c", "< (1 OR 2) |x|", "knee (left)"],
  ],
  ["shell/substitution", "parameter", ["$(id)", "`id`", "x${IFS}y"], ["$expand", "5$", "<(404684003)"]],
  ["shell/function", "header", ["() { :;}; echo"], ["f(x) {y}", "Mozilla/5.0 (X11; Linux x86_64)"]],
  [
    "shell/command-behind-separator",
    "parameter",
    ["x; cat /var/x", "a && wget http://x", "x | nc -e", ";'rm' -r"],
    [
      "http://x.example|id",
      "asap | stat",
      "71388002 |Procedure| : 405815000 |Procedure device| = 122456005",
      "pain; cat allergy",
    ],
  ],
  [
    "shell/command-line",
    "parameter",
    ["bash -c x", "gunzip -c a", "ls foo"],
    ["time is short", "head of pancreas", "ping pong"],
  ],
  ["shell/program-path", "parameter", ["/usr/bin/perl x", "/bin/sh"], ["cabin/room", "robin/egg"]],
  ["shell/device", "parameter", [">/dev/tcp/1"], ["device/1"]],
  ["shell/definition", "parameter", ["alias a=b"], ["alias name"]],
  ["shell/expansion", "parameter", ["c{a,un}t", "~+"], ["{id,name}", "~5"]],
  ["shell/windows", "parameter", ["%SystemRoot%", "cmd.exe /c dir"], ["100% temp"]],
  ["shell/command-alone", "parameter", ["whoami"], ["who am i"]],
  ["template/expression", "parameter", ["{{7*7}}", "<%= x %>", "#{1+1}"], ['< 1 {{ term = "heart" }}', "{{request}}"]],
  ["template/lookup", "header", ["${jndi:ldap://x}", "${${lower:j}ndi}"], ["$jndi"]],
  ["template/ognl", "header", ["%{(#a='b')}", "${#x}"], ["100%"]],
  [
    "script/tag",
    "parameter",
    ["<script>", "<img src=x>", "%3Csvg/onload=1>", "&lt;iframe>", "<a href=x>", '<a id=x href="https://example.org">'],
    ["<404684003", "<< 73211009", "<!404684003", "a < b", 'a film: <a href="https://example.org/x?y=1">here</a>'],
  ],
  ["script/tag-spaced", "parameter", ["<f o r m"], ["a < form of"]],
  ["script/tag-charset", "parameter", ["+ADw-script+AD4-"], ["+AD"]],
  [
    "script/event-handler",
    "parameter",
    ['" onerror=x', "' onclick = x", '<a href="https://example.org" onclick=x>'],
    ["onset=2020", "Ontlasting = Feces"],
  ],
  [
    "script/url",
    "parameter",
    ["javascript:x", '<a href="https://example.org"><a href="javascript:x">', "ja\tvascript:x", "data:text/html,x"],
    ["JavaScript", "data: none"],
  ],
  ["script/style", "parameter", ["x:url(javascript", "@import x"], ["expression (see x)"]],
  ["script/object", "parameter", ["a document.cookie", 'window["x"]'], ["document a cookie", "window of time"]],
  ["script/object-plain", "parameter", ["window.location"], ["window.x"]],
  ["script/call", "parameter", ["alert(1)", "new Function()"], ["alert (oriented x3)"]],
  ["script/encoded", "parameter", ["[][(![]+[])]", "x.call`1`"], ["[1,2]"]],
  ["xml/declaration", "parameter", ["<!ENTITY x SYSTEM 'y'>", "<!DOCTYPE x>"], ["entity system"]],
  ["traversal/parent", "parameter", ["../../x", "..\\x", "%252e%252e%252fx", "..;/x"], ["a..b", "1...5", "etc."]],
  [
    "traversal/system-file",
    "parameter",
    ["/etc/passwd", "/etc/pas[s]wd", "c:\\windows\\x"],
    ["and/or etc", "Patient/proc"],
  ],
  ["probe/hidden-file", "path", ["/.git/config", "/x/.env"], ["/.well-known/smart-configuration", "/Patient/.abc"]],
  [
    "probe/left-behind",
    "path",
    ["/backup.sql.zip", "/x.php", "/wp-login", "/get/proc/cpuinfo"],
    ["/Patient/a.zip", "/metadata"],
  ],
  ["ssrf/scheme", "parameter", ["file:///x", "gopher://x"], ["profile:x", "http://hl7.org/fhir"]],
  [
    "ssrf/private-target",
    "parameter",
    [
      "http://127.0.0.1/",
      "http://169.254.169.254/latest",
      "http://2130706433/",
      "http://[::1]/",
      "http://0x7f.1/x",
      "http://metadata.google.internal/",
    ],
    ["http://mrn.hospital.local|123", "http://hl7.org/fhir", "10.0.0.1"],
  ],
  ["protocol/response-split", "form", ["x\r\nSet-Cookie: a", "a\nGET / HTTP/1.1"], ["line one\r\nline two: more"]],
  ["protocol/nul", "form", ["a\0b", "a%00b"], ["100%"]],
  ["protocol/encoded-line-break", "header", ["a%0d%0ab"], ["a%20b"]],
  ["protocol/escaped-letter", "form", ["\\u0061lert"], ["C:\\users"]],
  ["protocol/unix-socket", "parameter", ["unix:aa|http://x"], ["unix: a system"]],
];

describe("hostile rules", () => {
  const speaks = (rule: string, surface: Surface, text: string): boolean => {
    const rules = policy.rules[surface].filter(({ id }) => id === rule);
    expect(rules).toHaveLength(1);
    if (surface === "path") return inspectPath(text, { ...policy.rules, path: rules }).length > 0;
    return inspectText(text, rules) !== undefined;
  };

  describe.each(ROWS)("%s", (rule, surface, found, passes) => {
    it.each(found)(`finds %j in a ${surface}`, (text) => expect(speaks(rule, surface, text)).toBe(true));
    it.each(passes)("lets %j pass", (text) => expect(speaks(rule, surface, text)).toBe(false));
  });

  it("every rule of a text has rows here and every rule a reason", () => {
    const shown = new Set(ROWS.map(([rule]) => rule));
    const ofText = Object.values(policy.rules).flatMap((rules) => rules.map(({ id }) => id));
    expect([...new Set(ofText)].filter((id) => !shown.has(id))).toEqual([]);
    for (const [id, reason] of HOSTILE_RULES)
      expect([id, reason]).toEqual([id, expect.stringMatching(/^\w.{15,}[^.]$/)]);
  });

  it("looks at names as well as values, and stops counting parameters", () => {
    const limits = { ...policy, maxParameters: 3, maxParameterNameBytes: 10 };
    const rules = (query: string): string[] => inspectParameters(query, "parameter", limits).map(({ rule }) => rule);
    expect(rules("a[$ne]=1")).toEqual(["nosql/operator-name"]);
    expect(rules("a=1&b=2&c=3")).toEqual([]);
    expect(rules("a=1&b=2&c=3&d=4")).toEqual(["protocol/parameter-count"]);
    expect(rules(`${"a".repeat(11)}=1`)).toEqual(["protocol/parameter-name"]);
  });

  it("what almost matches, repeated, is judged in time: no pattern tries every length", { timeout: 60_000 }, () => {
    const heads = [
      "select ",
      "'",
      "union",
      "<a ",
      "((",
      "${",
      "`a ",
      "; ",
      "x|",
      "../",
      "{{",
      ")(",
      "or 1",
      "/*",
      "&#",
      "\r\n",
    ];
    const fills = [" ", "a", "(", "'", "a ", "/", "..", "=", "1 ", "or ", "'a'", "{", "&amp;"];
    let judged = 0;
    for (const head of heads) {
      for (const fill of fills) {
        inspectText(head + fill.repeat(Math.ceil(4000 / fill.length)), policy.rules.form);
        judged++;
      }
    }
    // A line break and a quote, again and again, once took twenty seconds of one query: quotes go, and blanks meet.
    for (const [one, other] of heads.flatMap((head) => [...heads, ...fills].map((fill) => [head, fill] as const))) {
      inspectText((one + other).repeat(Math.ceil(2000 / (one.length + other.length))), policy.rules.parameter);
      judged++;
    }
    expect(judged).toBe(heads.length * (fills.length * 2 + heads.length));
  });
});
