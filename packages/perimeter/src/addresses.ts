import type { IncomingMessage } from "node:http";
import { isIPv4, isIPv6 } from "node:net";

/** A range of addresses; IPv4-mapped IPv6 is IPv4. */
export interface Cidr {
  /** Network address: 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  /** Leading bits that count. */
  readonly prefix: number;
}

/** Whether an address lies in any of the ranges it was made from. What is no address lies in none. */
export type AddressMatcher = (address: string | undefined) => boolean;

/**
 * An address as bytes: 4 for IPv4 and IPv4-mapped IPv6, else 16. `undefined` for what is no address. A zone (`%eth0`)
 * names an interface of this machine and is ignored.
 */
function addressBytes(address: string): Uint8Array | undefined {
  const known = read.get(address);
  if (known !== undefined) return known;
  const bytes = readAddress(address);
  // The longest an address is written; a header may hold anything.
  if (bytes !== undefined && address.length <= 45) {
    if (read.size >= REMEMBERED) read.clear();
    read.set(address, bytes);
  }
  return bytes;
}

/** Each request asks about its few addresses several times, and the next one mostly about the same. */
const read = new Map<string, Uint8Array>();
const REMEMBERED = 4096;

function readAddress(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  if (!isIPv6(address)) return undefined;
  const bytes = ipv6Bytes(address.split("%", 1)[0] ?? "");
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or one address. `undefined` for anything else, host bits after the prefix included. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length, ...rest] = text.split("/");
  if (rest.length > 0 || (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length))) return undefined;
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const mapped = bytes.length === 4 && isIPv6(address);
  const prefix = length === undefined ? bytes.length * 8 : Number(length) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > bytes.length * 8 || !samePrefix(bytes, bytes, prefix) || hasHostBits(bytes, prefix)) {
    return undefined;
  }
  return Object.freeze({ bytes, prefix });
}

/**
 * Makes a matcher from ranges. Throws a RangeError for text that is no range.
 */
export function addressMatcher(ranges: readonly string[]): AddressMatcher {
  const cidrs = ranges.map((range) => {
    const cidr = parseCidr(range);
    if (cidr === undefined) throw new RangeError("not an address or a CIDR range");
    return cidr;
  });
  return (address) => {
    const bytes = address === undefined ? undefined : addressBytes(address);
    return bytes !== undefined && cidrs.some((cidr) => samePrefix(bytes, cidr.bytes, cidr.prefix));
  };
}

/** RFC 1918, RFC 4193, loopback and link-local: addresses no router of the internet delivers to. */
export const PRIVATE_NETWORKS: readonly string[] = Object.freeze([
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
]);

export function isPrivateNetwork(address: string | undefined): boolean {
  return IN_PRIVATE_NETWORKS(address);
}

/**
 * The client's address: the peer's, or, when the peer is a trusted proxy, the last address of `X-Forwarded-For` that is
 * not itself a trusted proxy. `undefined` when a trusted proxy's header holds something else than addresses.
 *
 * Does NOT read `Forwarded` or `X-Real-IP`, and never reads past the first address that no trusted proxy vouches for:
 * what stands left of it is the client's own writing.
 */
export function clientAddress(req: IncomingMessage, trusted: AddressMatcher): string | undefined {
  let address = req.socket.remoteAddress;
  const header = req.headers["x-forwarded-for"];
  const hops = (Array.isArray(header) ? header.join(",") : (header ?? ""))
    .split(",")
    .filter((hop) => hop.trim() !== "");
  while (hops.length > 0 && trusted(address)) {
    address = withoutPort((hops.pop() as string).trim());
    if (addressBytes(address) === undefined) return undefined;
  }
  return address === undefined ? undefined : renderAddress(address);
}

/** IPv4-mapped IPv6 is written as IPv4. */
function renderAddress(address: string): string {
  const bytes = addressBytes(address);
  return bytes?.length === 4 ? bytes.join(".") : address;
}

/** Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

function ipv6Bytes(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const groups = dotted ? `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}` : address;
  const [head = "", tail] = groups.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  const words = [...left, ...zeros, ...right].map((word) => Number.parseInt(word, 16));
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

function pair(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function samePrefix(a: Uint8Array, b: Uint8Array, prefix: number): boolean {
  if (a.length !== b.length) return false;
  const whole = prefix >> 3;
  for (let index = 0; index < whole; index++) if (a[index] !== b[index]) return false;
  const bits = prefix & 7;
  return bits === 0 || (((a[whole] ?? 0) ^ (b[whole] ?? 0)) & (0xff00 >> bits) & 0xff) === 0;
}

function hasHostBits(bytes: Uint8Array, prefix: number): boolean {
  return bytes.some((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, prefix - index * 8)))) !== 0);
}

const IN_PRIVATE_NETWORKS = addressMatcher(PRIVATE_NETWORKS);
