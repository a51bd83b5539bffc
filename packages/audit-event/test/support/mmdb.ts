/** Writes a tiny IPv4 database in MaxMind's format, so that the reader meets a real file. */

function control(type: number, size: number): Buffer {
  if (size >= 29) throw new Error("this writer knows short values only");
  return type <= 7 ? Buffer.from([(type << 5) | size]) : Buffer.from([size, type - 7]);
}

function encode(value: unknown): Buffer {
  if (typeof value === "string") return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const members = Object.entries(value as object);
  return Buffer.concat([
    control(7, members.length),
    ...members.flatMap(([name, member]) => [encode(name), encode(member)]),
  ]);
}

/** A database that holds `data` for the one /8 network that begins with `octet`, and nothing else. */
export function geoDatabase(octet: number, data: object): Buffer {
  const nodes = 8;
  const found = nodes + 16;
  const tree = Buffer.alloc(nodes * 6);
  for (let bit = 0; bit < nodes; bit++) {
    const one = ((octet >> (7 - bit)) & 1) === 1;
    const next = bit === nodes - 1 ? found : bit + 1;
    tree.writeUIntBE(one ? nodes : next, bit * 6, 3);
    tree.writeUIntBE(one ? next : nodes, bit * 6 + 3, 3);
  }
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1,
    database_type: "test",
    description: { en: "test" },
    ip_version: 4,
    languages: ["en"],
    node_count: nodes,
    record_size: 24,
  };
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from("MaxMind.com")]);
  return Buffer.concat([tree, Buffer.alloc(16), encode(data), marker, encode(metadata)]);
}
