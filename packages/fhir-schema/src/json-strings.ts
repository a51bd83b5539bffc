const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What was met of a string. One record serves all strings of a text, which are too many for one each. */
export interface StringRead {
  /** Place of its closing quote, or the end of the text. */
  end: number;
  hasEscapes: boolean;
  /** `\u` among them. */
  hasUnicodeEscapes: boolean;
}

/** Reads the string that begins at `start`, after its opening quote. */
export function readString(bytes: Buffer, start: number, read: StringRead): void {
  read.hasEscapes = false;
  read.hasUnicodeEscapes = false;
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) break;
    if (byte !== BACKSLASH) continue;
    at++;
    read.hasEscapes = true;
    if (bytes[at] === LETTER_U) read.hasUnicodeEscapes = true;
  }
  read.end = Math.min(at, bytes.length);
}

/** Names are compared after escapes are decoded: `"na\u006de"` is `name`. */
export function nameOf(bytes: Buffer, start: number, { end, hasEscapes }: StringRead): string {
  const text = bytes.toString("utf8", start, end);
  return hasEscapes ? (JSON.parse(`"${text}"`) as string) : text;
}

/** UTF-8 cannot write half a pair, so that whoever writes the text again writes something else. */
export function hasLoneSurrogate(text: string): boolean {
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at)) {
    const [whole = "", unit = ""] = /^\\(?:u([0-9a-fA-F]{4})|.)/s.exec(text.slice(at, at + 6)) ?? [];
    if (/^d[c-f]/i.test(unit)) return true;
    if (/^d[89ab]/i.test(unit)) {
      if (!/^\\ud[c-f]/i.test(text.slice(at + 6, at + 10))) return true;
      at += 6;
    }
    at += Math.max(whole.length, 1);
  }
  return false;
}
