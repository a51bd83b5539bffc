import { BlockList, isIPv4, isIPv6 } from "node:net";
import { type Findings, join } from "@wardline/policy-types";

/** Reads addresses and CIDR ranges; adds what is none to `found`. A range of everybody is refused: it would check nothing. */
export function parseRanges(found: Findings, ranges: readonly unknown[], path: string): BlockList {
  const list = new BlockList();
  ranges.forEach((range, at) => {
    if (typeof range !== "string" || !addRange(list, range)) {
      found.add(join(path, at), "not-a-range", "must be an address or a CIDR range, not all");
    }
  });
  return list;
}

/** S5: an IPv4-mapped address is IPv4, and a zone names an interface of this machine. An unreadable address is nowhere. */
export function isAddressIn(list: BlockList, text: string | undefined): boolean {
  const address = text?.split("%", 1)[0]?.replace(/^::ffff:(?=\d+\.)/i, "") ?? "";
  if (isIPv4(address)) return list.check(address, "ipv4");
  return isIPv6(address) && list.check(address, "ipv6");
}

function addRange(list: BlockList, range: string): boolean {
  const [, mapped, address = "", digits] = /^(::ffff:(?=\d+\.))?([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(range) ?? [];
  const size = isIPv4(address) ? 32 : 128;
  if (!isIPv4(address) && !isIPv6(address)) return false;
  const prefix = digits === undefined ? size : Number(digits) - (mapped === undefined ? 0 : 96);
  if (prefix < 1 || prefix > size) return false;
  list.addSubnet(address, prefix, size === 32 ? "ipv4" : "ipv6");
  return true;
}
