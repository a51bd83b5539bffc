/** Kinds of characters; no rule is asked about a text that has none of those it needs. */
export const QUOTE = 1;
export const PAREN = 2;
export const SLASH = 4;
export const SPACE = 8;
export const ANGLE = 16;
export const SHELL = 32;
export const CONTROL = 64;
export const BRACE = 128;
export const PERCENT = 256;
export const EQUALS = 512;
export const COLON = 1024;
export const DASHES = 2048;
export const WIDE = 4096;
export const DOTS = 8192;
export const BACKSLASH = 16_384;
export const HASH = 32_768;
export const DOT = 131_072;
/** A word that attacks are made of, however plain the rest of the text is. */
export const WORD = 65_536;

const OF_CODE: Uint32Array = new Uint32Array(128);
const mark = (characters: string, trait: number): void => {
  for (const character of characters) {
    const code = character.charCodeAt(0);
    OF_CODE[code] = (OF_CODE[code] ?? 0) | trait;
  }
};
mark("'\"`", QUOTE);
mark("()", PAREN);
mark("/", SLASH);
mark(" ", SPACE);
mark("<>", ANGLE);
mark(";|&`$~", SHELL);
mark("{}[]", BRACE);
mark("%", PERCENT);
mark("=", EQUALS);
mark(":", COLON);
mark("\\", BACKSLASH);
mark("#@*", HASH);
mark(".", DOT);
for (let code = 0; code < 32; code++) OF_CODE[code] = CONTROL | SPACE;

const DOT_CODE = 0x2e;
const DASH_CODE = 0x2d;

/** Reads a text once. */
export function traitsOf(text: string): number {
  let traits = 0;
  let previous = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    traits |= code < 128 ? (OF_CODE[code] as number) : WIDE;
    if (code === previous) {
      if (code === DOT_CODE) traits |= DOTS;
      else if (code === DASH_CODE) traits |= DASHES;
    }
    previous = code;
  }
  return hasAttackWord(text) ? traits | WORD : traits;
}

/** Words that attacks are made of, however plain the rest of the text is. */
export function hasAttackWord(text: string): boolean {
  return text.length > 4 && WORDS.test(text);
}

const WORDS =
  /schema|pg_|sys(?:object|column|table|admin)|msysaccess|sqlite_|xp_|union|adw-|visudo|whoami|ifconfig|0x[25]|script|(?:^|\W)(?:etc|proc|sys|bin|dev)\/|localhost|\d\.e\.|^(?:window|document|self|top|parent)\.|0x|win\.ini|^(?:file|gopher|dict|ldaps?i?|jar|php|phar|expect|netdoc|tftp|zip|zlib|glob|rar|ogg|ssh2|smb|unix|local_file|vbs|view-source):|\.(?:git|env|ssh|aws|ht|bash)|id_rsa|wp-config|-inf\b|boot\.ini|system\.ini|php\.ini/i;
