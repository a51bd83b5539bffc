import { type HostileRule, only, rule, textRule } from "./rule.ts";
import { BACKSLASH, COLON, DOTS, PERCENT, SLASH, WORD } from "./traits.ts";

/** Of the path. Before all others, because what is probed for is told as a signal. */
export const PROBE_RULES: readonly HostileRule[] = only(
  ["path"],
  [
    rule("probe/hidden-file", "files whose names begin with a dot are never served", 0, ({ text }) =>
      segments(text).some((segment) => /^\.(?!well-known$)[a-z_]/i.test(segment)),
    ),
    rule(
      "probe/left-behind",
      "backups, settings, logs and programs are never served",
      0,
      ({ folded, text }) => LEFT_BEHIND.test(segments(text).at(-1) ?? "") || KNOWN_PROBE.test(folded),
    ),
  ],
);

export const TRAVERSAL_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "traversal/parent",
    "dots that climb out of a folder",
    DOTS | BACKSLASH | PERCENT | WORD,
    /(?:^|[\\/=\s"'(,;:])\.{2,3}[\\/;]|\.{2,3}[\\/]\.{2,3}|[\\/]\.{2,3}(?:[\\/]|$)|\.{1,2};\.?[\\/]|(?:0x2e|0x5c|0x2f).{0,4}(?:0x2e|0x2f|0x5c|\.)\.?|^\.\.[\\/]?$/,
  ),
  rule(
    "traversal/system-file",
    "a file of the operating system",
    SLASH | BACKSLASH | WORD,
    ({ folded, unquoted }) =>
      SYSTEM_FILE.test(folded) || SYSTEM_FILE.test(unquoted.replace(/\[!?([^\]/]{0,8})\/*\]|[?*]/g, "$1")),
  ),
]);

/** What follows a resource type is an id, which may look like anything. */
function segments(path: string): string[] {
  const all = path.split("/");
  return all.filter((_segment, index) => !/^[A-Z][A-Za-z]+$|^_history$/.test(all[index - 1] ?? ""));
}

const SYSTEM_FILE =
  /(?:^|[^\w.-])\/?(?:etc\/[a-z]|proc\/(?:self|\d|cpuinfo|meminfo|version|net|sys|kcore|interrupts|mounts|[a-z]{4,}$)|sys\/(?:class|kernel|devices|block|bus|fs|hypervisor|module|power)\b|var\/(?:log|run|www|spool|lib|mail)\/|root\/\.|home\/\w+\/\.)|>\s*\/tmp\/|\bwindows[\\/]+(?:system32|win\.ini|repair|system\.ini)|\b(?:boot|win|system|php)\.ini\b|(?:^|[\\/\s])\.(?:bash_(?:history|profile|rc)|bashrc|ssh[\\/]|aws[\\/]|git(?:config|ignore|[\\/])|htaccess|htpasswd|env\b|history\b|netrc|npmrc|pgpass|my\.cnf|profile\b|viminfo|svn[\\/]|kube[\\/]|docker[\\/])|\bid_(?:rsa|dsa|ed25519)\b|\bweb-inf[\\/]|\bmeta-inf[\\/]|\bwp-config\.|[a-z]:\\(?:windows|winnt|users|inetpub|boot)/;

const LEFT_BEHIND =
  /\.(?:bak|backup|old|orig|save|swp|swo|tmp|sql|mdb|db|rdb|sqlite3?|log|ini|conf|config|cfg|env|pem|key|p12|pfx|jks|php\d?|phtml|aspx?|asmx|ashx|jspx?|cgi|dll|exe|bat|cmd|sh|ps1|rar|tgz|tar|7z|java|class|inc|lock|pyc?|rb|war|jar|yaml|yml|toml|zip|gz)(?:\.(?:zip|gz|bz2|xz))?$|~$/i;
const KNOWN_PROBE =
  /\/(?:wp-(?:admin|content|includes|login|json)|phpmyadmin|cgi-bin|actuator\/(?:env|heapdump|shutdown)|server-status|proc\/[a-z]|@(?:fs|id|vite)\/|__x00__|solr\/|jenkins\/|vendor\/phpunit|console\/|manager\/html|owa\/|boaform|hnap1|_ignition|\.well-known\/\.)|~\/|\?import$/;

/** @see https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html */
export const SSRF_SCHEME: HostileRule = textRule(
  "ssrf/scheme",
  "an address that makes a fetching server read files or speak other protocols",
  COLON,
  /^\s*(?:file|gopher|dict|ldaps?|ldapi|jar|php|phar|expect|netdoc|tftp|zip|zlib|glob|rar|ogg|ssh2|smb|unix|local_file|view-source):/,
);
