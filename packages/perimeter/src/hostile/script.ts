import { type HostileRule, rule, textRule } from "./rule.ts";
import { ANGLE, BRACE, COLON, DOT, EQUALS, HASH, PAREN, PERCENT, QUOTE, WIDE, WORD } from "./traits.ts";

const TAGS =
  "script|iframe|frame(?:set)?|object|embed|applet|meta|link|style|svg|base(?:font)?|form|img|image|video|audio|source|html|head|body|title|textarea|xml|import|\\w{0,10}:?vmlframe|math|isindex|input|button|select|option|marquee|bgsound|i?layer|xss|template|details|dialog|keygen|noscript|a|p|b|i|div|span|table|td|br|hr|font|center|blink|animate|set|use|foreignobject|portal|slot|plaintext|xmp|noembed|listing|comment";

/** How the names of a browser's events begin. */
const EVENTS =
  "abort|activate|after|animation|auxclick|before|begin|blur|bounce|cancel|canplay|cell|change|click|close|context|controlselect|copy|cuechange|cut|data|dbl|deactivate|drag|drop|durationchange|emptied|ended|error|filter|finish|focus|formdata|fullscreen|gesture|got|hashchange|help|input|invalid|key|languagechange|layout|load|lose|lost|media|message|mouse|move|offline|online|open|orientation|outofsync|page(?:hide|show)|paste|pause|play|pointer|popstate|progress|propertychange|ratechange|readystate|repeat|reset|resize|resume|reverse|row|scroll|search|security|seek|select|show|slotchange|stalled|start|storage|stop|submit|suspend|sync|time(?:out|update)|toggle|touch|track|transition|unhandled|unload|volumechange|waiting|webkit|wheel|zoom";

/** A link to somewhere on the web, which people write in texts; what else it does is another rule's. */
const PLAIN_LINK = "a href ?= ?[\"']?https?:\\/\\/|\\/a>";

/**
 * Markup and script. `<` alone is a comparison, and `<404684003`, `<< 73211009` and `<!` are operators of SNOMED's
 * expression constraint language: only a tag that browsers know, or a script's own words, count.
 */
export const SCRIPT_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "script/tag",
    "an HTML tag would be drawn by whoever shows this value",
    ANGLE | PERCENT | WIDE,
    new RegExp(
      `<(?!${PLAIN_LINK})[/?!]?\\s?(?:${TAGS})(?<!\\s[a-z])(?:[\\s/>="'\`]|$)|<!--|<!\\[cdata|<(?:import|base)\\w{0,20}\\s*=|<\\w{1,20}:\\w{1,20}\\s`,
    ),
  ),
  rule(
    "script/tag-spaced",
    "a tag with white space inside its name",
    ANGLE | PERCENT,
    ({ dense, folded }) =>
      /<(?:script|iframe|object|embed|applet|svg\/on|vmlframe|:vmlframe)/.test(dense) ||
      /< ?(?:f o r m|f orm|fo rm|for m)\b/.test(folded),
  ),
  rule(
    "script/tag-charset",
    "a tag in bytes that become one in another character set",
    WIDE | WORD,
    ({ text, folded }) =>
      /\u00bc(?:script|iframe|img)\b.{0,200}\u00be/i.test(text) ||
      /\\xbcscript\\x.{0,200}\\xbc\/script\\x(?:(?:d0|c2)\\x)?be/i.test(text) ||
      /\+adw-|\+ad4-/.test(folded),
  ),
  textRule(
    "script/event-handler",
    "an attribute that runs a script",
    EQUALS,
    new RegExp(
      `(?:^|[\\s"'\`<>;])on(?:${EVENTS})[a-z]{0,40}\\s*=(?!=)|` +
        /["'](?:formaction|srcdoc|xlink:href)\s*=|<[^>]{1,200}[\s/"']on[a-z]{3,45}\s*=/.source,
    ),
  ),
  rule("script/url", "an address that is a script", COLON, ({ dense }) =>
    /(?:java|vb|live|ecma|j)script:|data:text\/html|data:[\w/+;=-]{0,60}(?:javascript|xhtml|svg\+xml)|vbs:/.test(
      dense.replaceAll("\\", ""),
    ),
  ),
  rule("script/style", "a style sheet that runs or loads something", COLON | PAREN | HASH, ({ dense }) =>
    /url\((?:'|")?(?:javascript|data|vbscript)|url\(javascript|-moz-binding|behaviou?r:url|[:=]expression\(|@import/.test(
      dense.replaceAll("\\", ""),
    ),
  ),
  textRule(
    "script/object",
    "an object of a browser",
    DOT | BRACE,
    /\bdocument\s*\.\s*(?:cookie|domain|write(?:ln)?|location|body|queryselector\w*|createelement|getelement\w*|documentelement|forms|url)\b|\bwindow\s*\.\s*(?:location|name|open|onload|onerror|eval)\b|\.\s*(?:innerhtml|outerhtml|insertadjacenthtml|fromcharcode|parentnode|textcontent\s*=)|\b(?:this|self|top|window|frames|document|globalthis|parent)\s*\)?\s*\[\s*["'`\\]|\bdocument\s*\)\s*\[/,
  ),
  textRule(
    "script/object-plain",
    "an object of a browser",
    0,
    /^(?:window|document|self|top|parent)\.(?:location|cookie|domain|body|name|href|url)(?:\W|$)/,
  ),
  textRule(
    "script/call",
    "a call of a browser's function",
    PAREN,
    /(?:^|[^\w.-])(?:alert|prompt|confirm|eval|settimeout|setinterval|setimmediate|atob|execscript|fetch|import)\((?! ?\w+ \w)|\bnew\s+(?:function|worker|image)\s*\(|\bfunction\s*\w{0,30}\s*\([^)]{0,80}\)\s*\{|\)\s*\(\s*\)\s*[;}]|\(\s*\)\s*=>/,
  ),
  textRule(
    "script/encoded",
    "a script written without letters, or a call without brackets",
    BRACE | QUOTE,
    /(?:!|\+|\(|\[)!?\+?!*\[\s*\](?:\)|\[|\+|\]|$)|\[\s*\]\s*\.\s*(?:\/\*|\w+\s*\.)|\b(?:call|map|sort|filter|find|constructor|apply)\s*`|`\s*\$\{/,
  ),
  textRule(
    "xml/declaration",
    "a document type or an entity makes a parser read files and fetch addresses",
    ANGLE | HASH | PERCENT | 64 | 8,
    /<!(?:doctype|entity|element|attlist|notation)\b|!entity\s|<\w*:?include\s|xinclude\b|\bschemalocation\s*=|<\?xml(?:-stylesheet)?\s|\bxmlns(?::\w+)?\s*=/,
  ),
]);
