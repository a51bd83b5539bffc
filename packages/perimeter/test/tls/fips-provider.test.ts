import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { testCa } from "@wardline-tools/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** `fips.so` of OpenSSL, where systems that have it keep it (Debian 13: package openssl-provider-fips). */
const MODULE = [
  process.env["WARDLINE_FIPS_MODULE"] ?? "",
  ...["x86_64-linux-gnu", "aarch64-linux-gnu"].map((machine) => `/usr/lib/${machine}/ossl-modules/fips.so`),
  "/usr/lib64/ossl-modules/fips.so",
  "/usr/lib/ossl-modules/fips.so",
].find((file) => file !== "" && existsSync(file));

if (MODULE === undefined) console.log("FIPS: no fips.so on this machine: the real provider is NOT tried");

/** A process that was started with the provider: what it says of itself, and a handshake of ours between its two ends. */
const CHILD = `
  const { assertFips, fipsState, tlsServerOptions, tlsClientOptions } = await import("@wardline/perimeter");
  const { createServer } = await import("node:https");
  const { connect } = await import("node:tls");
  const crypto = await import("node:crypto");
  const told = { state: fipsState() };
  try { assertFips(); told.asserted = true; } catch (error) { told.asserted = error.message; }
  const works = (name, attempt) => { try { attempt(); return true; } catch { told.refused = [...(told.refused ?? []), name]; return false; } };
  works("md5", () => crypto.createHash("md5"));
  works("chacha20", () => crypto.createCipheriv("chacha20-poly1305", Buffer.alloc(32), Buffer.alloc(12), { authTagLength: 16 }));
  works("aes-256-gcm", () => crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12)));
  const { cert, key, ca } = JSON.parse(process.env.PAIR);
  const tls = await tlsServerOptions({ cert: { value: cert }, key: { value: key }, fips: process.env.PROFILE === "fips", reloadSeconds: 0 });
  const server = createServer(tls.options, (_req, res) => res.end());
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  told.handshake = await new Promise((done) => {
    const socket = connect({ host: "127.0.0.1", port: server.address().port, ca, servername: "localhost" }, () => {
      done([socket.getProtocol(), socket.getCipher().name, socket.getEphemeralKeyInfo().name]);
      socket.destroy();
    });
    socket.once("error", (error) => done(error.code));
  });
  server.close();
  tls.close();
  console.log(JSON.stringify(told));`;

describe.skipIf(MODULE === undefined)("with OpenSSL's FIPS provider (skipped where there is none)", () => {
  const folder = mkdtempSync(join(tmpdir(), "perimeter-fips-"));
  const config = join(folder, "openssl.cnf");
  let pair: string;

  beforeAll(async () => {
    const installed = join(folder, "fipsmodule.cnf");
    execFileSync("openssl", ["fipsinstall", "-module", String(MODULE), "-out", installed], { stdio: "pipe" });
    writeFileSync(
      config,
      `nodejs_conf = nodejs_init
.include ${installed}
[nodejs_init]
providers = provider_sect
alg_section = algorithm_sect
[provider_sect]
base = base_sect
fips = fips_sect
[base_sect]
activate = 1
[algorithm_sect]
default_properties = fips=yes
`,
    );
    const ca = await testCa("FIPS");
    const { cert, key } = await ca.issue({ name: "localhost", dns: ["localhost"] });
    pair = JSON.stringify({ cert, key, ca: ca.cert });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function tell(args: readonly string[], env: Readonly<Record<string, string>>): Record<string, unknown> {
    const told = execFileSync(process.execPath, [...args, "--input-type=module", "-e", CHILD], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: { PATH: process.env["PATH"], PAIR: pair, PROFILE: "fips", ...env },
      encoding: "utf8",
    });
    return JSON.parse(told) as Record<string, unknown>;
  }

  it("a process started with it is shown active, and shakes hands by approved algorithms alone", () => {
    const told = tell(["--force-fips"], { OPENSSL_CONF: config, OPENSSL_MODULES: dirname(String(MODULE)) });
    expect(told).toMatchObject({
      state: { kind: "active" },
      asserted: true,
      refused: ["md5", "chacha20"],
      handshake: ["TLSv1.3", "TLS_AES_256_GCM_SHA384", "prime256v1"],
    });
  });

  it("a process that was only told to, without the provider's configuration, does not get past assertFips", () => {
    const told = tell([], {});
    expect(told).toMatchObject({
      state: { kind: "inactive", because: "not-enabled" },
      asserted: "no FIPS provider is in use: not-enabled",
    });
  });
});
