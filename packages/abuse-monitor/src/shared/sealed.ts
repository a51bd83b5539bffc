import { createHmac, timingSafeEqual } from "node:crypto";

/** Puts a keyed hash before what goes into the store, and takes nothing out that lacks it. */
export interface Seal {
  readonly seal: (text: string) => string;
  /** The text, or nothing when it was not sealed with this key. */
  readonly open: (sealed: string) => string | undefined;
}

/** Whoever can write into the store, but has no key, can make nobody blocked and no caller look like an attacker. */
export function createSeal(key: Uint8Array): Seal {
  const macOf = (text: string) => createHmac("sha256", key).update("wardline/abuse-monitor/1 ").update(text).digest();
  return {
    seal: (text) => `${macOf(text).toString("base64url")}.${text}`,
    open(sealed) {
      const dot = sealed.indexOf(".");
      const mac = Buffer.from(sealed.slice(0, Math.max(0, dot)), "base64url");
      const text = sealed.slice(dot + 1);
      return mac.length === 32 && timingSafeEqual(mac, macOf(text)) ? text : undefined;
    },
  };
}
