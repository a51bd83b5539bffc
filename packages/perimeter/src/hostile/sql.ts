import { type HostileRule, rule, textRule } from "./rule.ts";
import { COLON, DASHES, EQUALS, HASH, PAREN, QUOTE, SHELL, SLASH, SPACE, WORD } from "./traits.ts";

/** Functions of databases whose names are no words of a clinic, so that a bracket behind one is a call. */
const FUNCTIONS =
  "add(?:date|time)|aes_(?:de|en)crypt|ascii(?:str)?|asymkey_id|bin_to_num|bit_(?:and|count|length|or|xor)|cast|char(?:_length|acter_length|index)?|chr|coercibility|compress|concat(?:_ws)?|connection_id|conv|convert_tz|crc32|cur(?:date|time|rent_(?:date|setting|time|timestamp|user))|database(?:_to_xml)?|date_(?:add|format|sub)|datediff|day(?:name|of(?:month|week|year))|db_name|dbms_\\w+(?:\\.\\w+)*|decode|des_(?:de|en)crypt|elt|encode|encrypt|exp|export_set|extractvalue|field|find_in_set|floor|found_rows|from_(?:base64|days|unixtime)|get_(?:format|lock)|glob|greatest|group_concat|hex(?:toraw)?|iif|ifnull|inet6?_(?:aton|ntoa)|instr|is_(?:free|used)_lock|isnull|json(?:b?_\\w+|_value|_query)|last_(?:day|insert_id|insert_rowid)|lcase|least|len|likelihood|likely|ln|lo_(?:create|export|from_bytea|get|import|put)|load(?:_extension|_file)|localtime(?:stamp)?|locate|log(?:10|2)|lower|lpad|ltrim|make(?:_set|date|time)|master_pos_wait|max_(?:by)|md5|microsecond|mid|mod|monthname|name_const|newid|nullif|nvl2?|object_(?:id|name)|oct|octet_length|old_password|openquery|openrowset|ord|password|patindex|period_(?:add|diff)|pg_\\w+|pow(?:er)?|printf|procedure_analyse|quotename|quote|rand(?:om|omblob)?|raise_application_error|rawtohex\\w*|regexp_\\w+|release_(?:all_)?locks?|repeat|reverse|row_(?:count|to_json)|rpad|rtrim|schema|schema_name|sec_to_time|session_user|sha[12]?|sleep|soundex|sqlite_\\w+|sqrt|starts_with|str(?:_to_date|cmp|ftime|pos)|sub(?:date|str|string|string_index|time)|suser_s?name|sys(?:date|tem_user)|sys_context|table_to_xml|time_(?:format|to_sec)|timediff|timestamp(?:add|diff)|to_(?:ascii|base64|char|days|hex|json|jsonb|nchar|number|seconds|timestamp|tsquery|tsvector|yminterval)|trim|typeof|ucase|uncompress(?:ed_length)?|unhex|unicode|unistr|unix_timestamp|unlikely|updatexml|upper|user_(?:id|name)|utc_(?:date|time|timestamp)|utl_(?:http|inaddr)\\.\\w+|uuid(?:_short)?|validate_password_strength|variance|version|week(?:day|ofyear)|xml(?:agg|comment|concat|element|exists|forest|parse|pi|root|type)|xpath|yearweek|zeroblob";
/** Only of these may a blank stand before the bracket: the others are read in sentences, "Herslo (1475)". */
const APART =
  "\\w*_\\w*|benchmark|concat|extractvalue|ifnull|md5|rand|strcmp|substr|sysdate|uncompress|unhex|updatexml";

/**
 * SQL in a value. A search may hold quotes, "or", "and", "select" and brackets; what no search holds is a statement, a
 * condition that is always true, or the end of somebody else's literal followed by one.
 */
export const SQL_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "sql/union-select",
    "UNION SELECT appends an attacker's rows to a query's answer",
    SPACE | WORD,
    /union(?: |\n|\(|\+|all|distinct(?:row)?){0,6}(?:select\b|select(?:from|null|\W))/,
  ),
  textRule(
    "sql/select",
    "a SELECT statement is no search value",
    SPACE | PAREN,
    /\bselect\b[ \n(+]*(?:\*|@|case\b|distinct\b|top \d|null\b|\d{1,10}[ \n]*,|0x|benchmark|sleep|[\w.`]{1,40}[ \n]{0,3}\(|[\w.`*']{1,60}[ \n]*,[^,;]{1,120}\bfrom\b|[\w.`*]{1,60}[ \n]+from[ \n(]+[\w.`"(]+[ \n]*(?:where|limit|;|--|\)|order|union))|select\b.{1,100}\bfrom\b[ \n(`"]*(?:information_schema|dual\b|mysql\.|pg_|sys\.|sqlite_|select\b)/s,
  ),
  textRule(
    "sql/stacked-statement",
    "a second statement behind a semicolon, or behind the end of a literal",
    SHELL | QUOTE,
    /(?:;|['"`]\)?)[ \n]*(?:(?:drop|alter|create|truncate)\b[ \n]*(?:table|database|schema|view|user|index|procedure|function|\W*\[|\w+[ \n]*[;[(])|insert[ \n]+into\b|delete[ \n]+from\b|update[ \n]+[\w.`]{1,60}[ \n]+set\b|exec(?:ute)?[ \n(]+(?:master|xp_|sp_|immediate|@|')|declare[ \n]+@|waitfor[ \n]+delay|shutdown\b|select[ \n]+[\w*@(]|grant[ \n]+\w+[ \n]+(?:on|to)\b|merge[ \n]+into|copy[ \n]+\w+[ \n]*(?:from|to)|handler[ \n]+\w+[ \n]+open)/,
  ),
  textRule(
    "sql/statement",
    "a statement that changes or defines data",
    SPACE,
    /\b(?:insert[ \n]+into[ \n]+[\w.`"[\]]{1,60}[ \n]*(?:\(|values\b|select\b)|delete[ \n]+from[ \n]+[\w.`"]{1,60}[ \n]+where\b|(?:drop|truncate)[ \n]+(?:table|database|schema)[ \n]+\S|alter[ \n]+(?:table|database)[ \n]+[`"\w]|create[ \n]+(?:table|database|procedure|trigger|or replace)[ \n]+\w|update[ \n]+[\w.`]{1,60}[ \n]+set[ \n]+[\w.`]{1,60}[ \n]*=|load[ \n]+data[ \n]+(?:local |infile)|into[ \n]+(?:out|dump)file\b|exec(?:ute)?[ \n(]+(?:xp_|sp_|master\b|immediate\b)|declare[ \n]+@\w|procedure[ \n]+analyse)/,
  ),
  rule(
    "sql/always-true",
    "a condition that holds for every row opens the whole table",
    EQUALS | SHELL | SPACE | QUOTE | PAREN,
    ({ folded }) => isAlwaysTrue(folded),
  ),
  textRule(
    "sql/literal-closed",
    "the end of somebody's literal, followed by a condition",
    QUOTE,
    /['"`][ \n)]*(?:\b(?:or|and|xor|having|not)\b|\|\||&&)[ \n(]*(?:not[ \n]+)?['"`(]?[\w.@-]{1,60}['"`]?[ \n)]*(?:=|<|>|!=|\blike\b|\bglob\b|\bilike\b|\bregexp\b|\brlike\b|\bin[ \n]*\(|\bis[ \n]+(?:not[ \n]+)?null\b|\bbetween\b|\bnotnull\b|(?<=\w)\()|['"`][ \n]*(?:\)[ \n]*)*(?:union|limit[ \n]+\d|order[ \n]+by[ \n]+\d|group[ \n]+by|collate|procedure)\b[ \n('"`\w\\&#]*(?:--|#|\d|select|all)|['"`]\)?[ \n]*;[ \n]*$/,
  ),
  rule(
    "sql/comment-after-literal",
    "the rest of the query is commented out behind the end of a literal",
    DASHES | HASH | QUOTE,
    ({ folded }) => COMMENTED.test(folded) || (KEYWORD.test(folded) && COMMENTED_END.test(folded.slice(-40))),
  ),
  textRule(
    "sql/literals-compared",
    "two literals compared with each other",
    QUOTE,
    /(?:^|\W)['"`][^'"`]{0,30}['"`][ \n]*(?:=|!=|<>|<=>|<|>|->>?|#>>?|@>|<@|\?[|&]?|\blike\b|\bregexp\b|\bnot[ \n]+\w+\b)[ \n]*(?:['"`]|array\b)|[}\]]['"][ \n]*(?:->>?|#>>?|@>|<@|\?[|&]?|[<>=])[ \n]*(?:['"]|array\b)|['"`][ \n]*(?:\|\||\+)[ \n]*\(?[ \n]*select\b|['"`]\+\w+\(/,
  ),
  textRule(
    "sql/function",
    "a call of a database's function",
    PAREN,
    new RegExp(
      `(?<![\\p{L}\\p{N}_.:-])(?:(?:${FUNCTIONS})[\\\\=\\[\\])]{0,2}|(?:${FUNCTIONS})(?<=(?<![\\p{L}\\p{N}_.:-])(?:${APART}))[ \\n]{1,3})\\((?! ?[a-z]+ ?\\))|(?<![\\p{L}\\p{N}_.:-])(?:${FUNCTIONS})(?<=_[a-z]{1,20})[ \\n]{0,3}\\(`,
      "u",
    ),
  ),
  textRule(
    "sql/delay",
    "a query that makes the database wait tells an attacker what it found",
    PAREN | SPACE,
    /\bsleep(?:\(|[ \n]*\([ \n]*[\d'"])|\b(?:pg_sleep|benchmark|randomblob|dbms_pipe\.receive_message|dbms_lock\.sleep|generate_series)[ \n]*\(|\bwaitfor[ \n]+(?:delay|time)\b/,
  ),
  textRule(
    "sql/catalogue",
    "names of tables that describe the database itself",
    WORD | SLASH,
    /\binformation_schema\b|\bpg_(?:catalog|user|shadow|tables|toast|temp|database)\b|\bsys(?:objects|columns|databases|users|tables|aux)\b|\bmsys(?:access\w+|objects|queries|relationships|aces|db)|\bsqlite_(?:temp_)?(?:master|schema)\b|\bxp_(?:cmdshell|reg\w+|dirtree|fileexist|\w+)\b|\bmaster\.\.?\w|\bmysql\.(?:user|db)\b|\bschema_name\b|\b(?:all|user)_(?:tables|tab_columns|objects|constraints)\b|\btempdb\b/,
  ),
  textRule(
    "sql/cast",
    "a cast reads a column as something else, to tell it in an error",
    COLON,
    /[\w)\]'"]::(?:\w+\.)?(?:int\d?|integer|text|jsonb?|varchar|char|bool(?:ean)?|numeric|float\d?|date|timestamp|bytea|regclass|name|xml)\b(?!\()/,
  ),
  textRule(
    "sql/operator-fragment",
    "a piece of a condition without the rest of it",
    PAREN | QUOTE,
    /\)[ \n]*(?:like|in|regexp|rlike|having|between)[ \n]*\(|^[ \n]*(?:if|case when|nullif|exists)[ \n]*\([ \n]*[\w'"`]+[ \n]*=|\bif[ \n]*\([^()]{1,60}\(\)[ \n]*=|\bhaving[ \n]+(?:count|min|max|\d)[ \n]*[(=]|\bdiv[ \n]*\([ \n]*[\d.]+[ \n]*,|`[ \n]*(?:as|from|where)[ \n]+`|`[ \n]*(?:from|where)\b|\border[ \n]+by[ \n]+(?:if|case|\d+[ \n]*--|\()/,
  ),
]);

const COMMENTED =
  /['"`‘’][ \n)]{0,6};?[ \n]?(?:--|#[ \n]?$|\/\*)|['"][ \n]?=[ \n]?\w{0,30}\([\d.]{0,10}\)[ \n]?=?[ \n]?['"]/;
const COMMENTED_END = /(?:['"`)]|\b(?:or|and|select|union|null|true)\b|\d)[ \n)';]{0,6}(?:--[ \n]?-?|#)[ \n]?$/;
const KEYWORD = /\b(?:select|union|sleep|or|and|values)\b/;

const COMPARISON =
  /(?:^|[\s'"`)(\d]|\b)(?:or|and|xor|where|having|\|\||&&)[\s('"`]*?(['"`‘’]?)([\w.]{1,40})\1\s*(?:=|<=>|\blike\b|\bis\b)\s*['"`‘’(]?([\w.]{1,40})(?![\w./-])/g;

/** `or 1=1`, `and 'a'='a'`, `or 2>1`; not `OR 116676008 = <<415582006`, which compares an attribute with a value. */
function isAlwaysTrue(text: string): boolean {
  for (const match of text.matchAll(COMPARISON)) if (match[2] === match[3]) return true;
  return NUMBERS.test(text) || NEVER_FALSE.test(text);
}

const NUMBERS =
  /(?:['"`‘’)]|^|\d)[ \n]*\b(?:or|and|xor|having)\b[ \n(]*\d{1,12}[ \n]*(?:[=!<>]{1,2}|in[ \n]*\()[ \n]*\(?[ \n]*(?:\d|select|')/;
const NEVER_FALSE =
  /\d[ \n]+or[ \n]+true\b|\b\d\.e[.(]|['"`‘’)][ \n]*(?:(?:\bor\b|\|\|)[ \n(]*(?:true\b|not[ \n]+false|1[ \n]*(?:--|#|$)|'[^']*'[ \n]*[<>])|;?[ \n]*(?:waitfor|sleep)\b)/;
