import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testCa } from "./ca.ts";

/** Makes the folder of what the starters' policies name and `wardline init` cannot make: certificates, keys, addresses. */
export async function writeStarterFiles(folder: string): Promise<void> {
  await mkdir(folder);
  const ca = await testCa();
  const { cert, key } = await ca.issue({ name: "edge" });
  const secret = (size: number): string => randomBytes(size).toString("base64url");
  const files: Readonly<Record<string, string>> = {
    "edge.pem": cert,
    "edge.key": key,
    "network-ca.pem": ca.cert,
    "partner-ca.pem": ca.cert,
    "device-ca.pem": ca.cert,
    "device-ca.crl": await ca.crl([]),
    "usage.key": secret(32),
    "abuse.key": secret(16),
    "links.key": secret(32),
    "redis.url": "rediss://redis.example",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}
