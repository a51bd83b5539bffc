import { type HostileRule, only, rule, textRule } from "./rule.ts";
import { ANGLE, BRACE, COLON, CONTROL, PAREN, PERCENT, SHELL, SLASH } from "./traits.ts";

/** MongoDB's and CouchDB's operators; `$where` runs JavaScript. */
const OPERATORS =
  "(?:eq|ne|gte?|lte?|n?in|not|nor|or|and|exists|type|expr|jsonschema|mod|regex|options|text|search|where|all|elemmatch|size|slice|comment|rand|function|accumulator|lookup|group|project|unset|set|push|pull|inc|rename)";

export const NOSQL_RULES: readonly HostileRule[] = Object.freeze([
  ...only(
    ["parameter-name", "json-name"],
    [
      rule("nosql/operator-name", "a database operator where a name should be", SHELL, ({ folded }) =>
        OPERATOR_NAME.test(folded),
      ),
    ],
  ),
  textRule(
    "nosql/operator-value",
    "a query object of a document database inside a value",
    BRACE,
    new RegExp(`[{,]\\s*['"]?\\$${OPERATORS}['"]?\\s*:|\\[\\$${OPERATORS}\\]`),
  ),
]);
const OPERATOR_NAME = new RegExp(`^\\$${OPERATORS}$|\\[\\$\\w{1,20}\\]`);

/**
 * A filter of a directory, closed and continued. Brackets that open before they close are mathematics, SNOMED
 * expressions or plain sentences.
 */
export const LDAP_RULES: readonly HostileRule[] = Object.freeze([
  rule(
    "ldap/filter-closed",
    "the end of somebody's filter, followed by another",
    PAREN,
    ({ dense }) => LDAP.test(dense) && closesBeforeOpening(dense),
  ),
]);
const LDAP = /\)(?:[|&!]{1,2}\(|\([|&!]|[|&!]$|\([\w.;:-]{1,60}[~<>]?=|\(\*|\(\|)|\*\)[!&|]?\(/;

function closesBeforeOpening(text: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === "(") open++;
    else if (character === ")" && --open < 0) return true;
  }
  return false;
}

/** Does NOT refuse `{{ term = "heart" }}`, which is a filter of SNOMED's expression constraint language. */
export const TEMPLATE_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "template/expression",
    "an expression that a template engine would compute",
    BRACE | ANGLE,
    /\{\{[^}]{0,200}(?:\d\s*[*+/-]\s*['"]?\d|__\w+__|\bconfig\b|\bself\b|\brequest\.|\bconstructor\b|\bcycler\b|\blipsum\b|\w\.\w+\(|\|\s*\w+\()|\{%\s*(?:for|if|set|import|include|raw|extends|block|debug)\b|[$#*@]\{[^}]{0,200}(?:\d\s*[*+/-]\s*\d|\(|\bt\s*\(|\.\w+\.)|<%[=@!\s]?\s*[\w.(]|\[\[\$\{/,
  ),
  textRule(
    "template/lookup",
    "a lookup that a logging library would follow",
    BRACE,
    /\$\{\s*(?:jndi|lower|upper|env|sys|java|main|ctx|base64|script|dns|url|::-)|\$\{[^}]{0,40}\$\{/,
  ),
  textRule(
    "template/ognl",
    "an OGNL or expression-language call",
    BRACE | PERCENT,
    /[%$]\{\s*\(?\s*[#@]|\(#[\w.]{1,40}\s*=|#_memberaccess|@java\.lang\.|\bjava\.lang\.(?:runtime|processbuilder)\b/,
  ),
]);

export const PROTOCOL_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "protocol/response-split",
    "a line break followed by a header would become one in somebody's answer or log",
    CONTROL | PERCENT,
    /[\r\n]\s*(?:content-(?:type|length|disposition|encoding)|set-cookie|location|transfer-encoding|refresh|remote-addr|status|x-forwarded-\w+|host|cookie|authorization|access-control-[\w-]+)\s*:|[\r\n]\s*(?:get|post|head|put|delete|patch|options|trace|connect|propfind|debug)\s+[^\r\n]{1,300}\s+http\/\d|\bhttp\/[\d.]{1,3}\s+\d{3}\s|[\r\n]\s*<(?:html|meta)\b/,
  ),
  textRule("protocol/nul", "a NUL ends a string early for whoever reads it in C", CONTROL | PERCENT, /\0/),
  ...only(
    ["header"],
    [textRule("protocol/encoded-line-break", "a line break in disguise inside a header", PERCENT, /[\r\n\0]/)],
  ),
  ...only(
    ["form", "parameter"],
    [
      rule(
        "protocol/escaped-letter",
        "letters written as escapes hide words from whoever looks for them",
        PERCENT | SLASH | 16_384,
        ({ text }) => /\\u00[2-7][0-9a-f]|%u(?:00|ff)[0-9a-f]{2}/i.test(text),
      ),
    ],
  ),
  ...only(
    ["parameter-name", "parameter", "form"],
    [
      rule("protocol/unix-socket", "a proxy would be sent to a socket of its own machine", COLON, ({ folded }) => {
        const at = folded.search(/\bunix:/);
        return at >= 0 && folded.indexOf("|", at) > at + "unix:".length;
      }),
    ],
  ),
]);
