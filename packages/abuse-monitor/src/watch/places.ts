import { isIPv4, isIPv6 } from "node:net";
import { findings } from "@wardline/policy-types";
import { wordsOf } from "./address.ts";
import type { Position } from "./sighting.ts";

/** A network, where it is, and the wider network in the same table that it lies in, as an index; -1: none. */
interface Table {
  readonly first: BigUint64Array;
  readonly last: BigUint64Array;
  readonly latitude: Float32Array;
  readonly longitude: Float32Array;
  readonly around: Int32Array;
}

interface Row {
  readonly first: bigint;
  readonly last: bigint;
  readonly position: Position;
}

/**
 * Where addresses are, for `locate`: reads CSV whose first line names the columns `network` (a CIDR range; of IPv6 at most
 * /64), `latitude` and `longitude` (degrees) among others, as lists of networks are published. The narrowest network counts;
 * a row without a position says that nobody knows.
 *
 * Does NOT read quoted fields.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @throws {ConfigurationError} naming the first lines that are no such row
 */
export function readPlaces(csv: string): (address: string) => Position | undefined {
  const [head = "", ...lines] = csv.split(/\r?\n/);
  const columns = head.split(",").map((name) => name.trim().toLowerCase());
  const [network, latitude, longitude] = ["network", "latitude", "longitude"].map((name) => columns.indexOf(name)) as [
    number,
    number,
    number,
  ];
  const found = findings();
  if (Math.min(network, latitude, longitude) < 0) {
    found.add("places", "no-columns", "name the columns network, latitude and longitude in the first line");
    found.throwIfAny("places");
  }
  const v4: Row[] = [];
  const v6: Row[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const fields = line.split(",");
    const range = rangeOf(fields[network] ?? "");
    const position = positionOf(fields[latitude] ?? "", fields[longitude] ?? "");
    if (range === undefined || position === undefined) {
      found.add(`places[${index + 2}]`, "not-a-place", "write a network, a latitude and a longitude in degrees");
      if (found.issues.length >= MOST_ISSUES) break;
    } else (range.isV4 ? v4 : v6).push({ ...range, position });
  }
  found.throwIfAny("places");
  const tables = { v4: tableOf(v4), v6: tableOf(v6) };

  return function locate(address) {
    const key = keyOf(address);
    return key === undefined ? undefined : lookUp(key.isV4 ? tables.v4 : tables.v6, key.value);
  };
}

const MOST_ISSUES = 10;

/** Unknown places are kept as such: a network inside a known one may be anywhere. */
const NOWHERE: Position = Object.freeze({ latitude: Number.NaN, longitude: Number.NaN });

function positionOf(latitude: string, longitude: string): Position | undefined {
  if (latitude.trim() === "" && longitude.trim() === "") return NOWHERE;
  const position = { latitude: Number(latitude), longitude: Number(longitude) };
  const isPlace = Math.abs(position.latitude) <= 90 && Math.abs(position.longitude) <= 180;
  return isPlace && latitude.trim() !== "" && longitude.trim() !== "" ? position : undefined;
}

function rangeOf(network: string): (Omit<Row, "position"> & { readonly isV4: boolean }) | undefined {
  const [address = "", length = "", ...more] = network.trim().split("/");
  const key = keyOf(address);
  if (key === undefined || more.length > 0 || !/^\d{1,2}$/.test(length)) return undefined;
  const bits = key.isV4 ? 32 : 64;
  if (Number(length) > bits) return undefined;
  const rest = (1n << BigInt(bits - Number(length))) - 1n;
  return (key.value & rest) === 0n ? { isV4: key.isV4, first: key.value, last: key.value | rest } : undefined;
}

/** The whole of an IPv4 address, the first half of an IPv6 one. */
function keyOf(address: string): { readonly isV4: boolean; readonly value: bigint } | undefined {
  if (isIPv4(address)) return { isV4: true, value: joined(address.split(".").map(Number), 8) };
  const bare = address.split("%", 1)[0] ?? "";
  if (!isIPv6(bare)) return undefined;
  const words = wordsOf(bare.toLowerCase());
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  return isMapped
    ? { isV4: true, value: joined(words.slice(6), 16) }
    : { isV4: false, value: joined(words.slice(0, 4), 16) };
}

function joined(parts: readonly number[], bits: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n);
}

/** By first address, a wider network before those in it. */
function tableOf(rows: Row[]): Table {
  rows.sort((a, b) => (a.first === b.first ? compare(b.last, a.last) : compare(a.first, b.first)));
  const around = new Int32Array(rows.length);
  let open = -1;
  for (const [index, row] of rows.entries()) {
    while (open >= 0 && (rows[open] as Row).last < row.first) open = around[open] as number;
    around[index] = open;
    open = index;
  }
  return {
    first: BigUint64Array.from(rows, ({ first }) => first),
    last: BigUint64Array.from(rows, ({ last }) => last),
    latitude: Float32Array.from(rows, ({ position }) => position.latitude),
    longitude: Float32Array.from(rows, ({ position }) => position.longitude),
    around,
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function lookUp({ first, last, latitude, longitude, around }: Table, key: bigint): Position | undefined {
  let low = 0;
  let high = first.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((first[middle] as bigint) <= key) low = middle + 1;
    else high = middle;
  }
  let at = low - 1;
  while (at >= 0 && (last[at] as bigint) < key) at = around[at] as number;
  if (at < 0 || Number.isNaN(latitude[at])) return undefined;
  return { latitude: latitude[at] as number, longitude: longitude[at] as number };
}
