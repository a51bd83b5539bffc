import { isPhiName, isSecretName } from "./secrets.ts";

/** What the names of members say, remembered: programs log under the same few names. */
export interface MemberNames {
  kindOf(name: string): "secret" | "phi" | "other";
  /** A name made of letters alone holds no identifier by shape. It may be a person's. */
  isPlain(name: string): boolean;
}

/** Bounded: beyond `MAX_NAMES`, and for long names, the answer is worked out anew. */
export function memberNames(): MemberNames {
  const known = new Map<string, "secret" | "phi" | "other">();
  return {
    kindOf(name) {
      const before = known.get(name);
      if (before !== undefined) return before;
      const kind = isSecretName(name) ? "secret" : isPhiName(name) ? "phi" : "other";
      if (known.size < MAX_NAMES && name.length <= MAX_LENGTH) known.set(name, kind);
      return kind;
    },
    isPlain: (name) => PLAIN.test(name),
  };
}

const PLAIN = /^[a-z][A-Za-z_]{0,30}$/;
const MAX_NAMES = 2000;
const MAX_LENGTH = 64;
