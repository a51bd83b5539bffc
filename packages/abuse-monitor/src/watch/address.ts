import { isIPv6 } from "node:net";

/**
 * The part of an address that names one subscriber (S5): IPv6 by prefix, IPv4-mapped IPv6 as IPv4. What is no address
 * stands for itself.
 *
 * @param prefix bits, 32 to 128
 */
export function addressKey(address: string, prefix: number): string {
  // IPv4, or no address at all.
  if (!address.includes(":")) return address;
  const bare = address.slice(0, zoneAt(address));
  if (!isIPv6(bare)) return address;
  const words = wordsOf(bare.toLowerCase());
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    const [high = 0, low = 0] = words.slice(6);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
  }
  const kept = words.map((word, index) => {
    const bits = Math.min(16, Math.max(0, prefix - index * 16));
    return word & (0xffff << (16 - bits)) & 0xffff;
  });
  return `${kept.map((word) => word.toString(16)).join(":")}/${prefix}`;
}

/** A zone (`%eth0`) names an interface of this machine. */
function zoneAt(address: string): number {
  const at = address.indexOf("%");
  return at < 0 ? address.length : at;
}

/** The eight words of RFC 4291 section 2.2, of an address that is well formed. */
export function wordsOf(address: string): number[] {
  const [head = "", tail] = address.replace(/:(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/, dottedTail).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16));
}

function dottedTail(_all: string, a: string, b: string, c: string, d: string): string {
  return `:${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
}
