// Requests per second of the same API, bare, with an off-the-shelf stack, and with every Wardline control of this version.
// Fresh processes, rounds alternating over the variants, medians. Absolute figures drift; compare ratios of one run.
import { fork } from "node:child_process";
import { join } from "node:path";
import { Pool } from "undici";

const VARIANTS = ["bare", "off the shelf", "wardline", "wardline, audit async"];
const WORK = [
  ["GET Patient (2 kB)", "/fhir/Patient/a"],
  ["50 Observations (50 kB)", "/fhir/Observation?code=29463-7"],
];
const ROUNDS = 3;
const SECONDS = 2;
const CONNECTIONS = 32;

const results = new Map();
for (let round = 0; round < ROUNDS; round++) {
  for (const variant of VARIANTS) {
    const server = fork(join(import.meta.dirname, "server.mjs"), [variant], {
      env: { ...process.env, NODE_ENV: "production" },
    });
    const { url, token } = await new Promise((resolve, reject) => {
      server.once("message", resolve);
      server.once("exit", () => reject(new Error(`${variant} did not start`)));
    });
    for (const [name, path] of WORK) {
      await load(url, path, token, 0.5);
      const key = `${variant}\n${name}`;
      results.set(key, [...(results.get(key) ?? []), await load(url, path, token, SECONDS)]);
    }
    server.disconnect();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(`${"share of bare (requests/s)".padEnd(28)}${WORK.map(([name]) => name.padStart(28)).join("")}`);
for (const variant of VARIANTS) {
  const cells = WORK.map(([name]) => {
    const rate = median(results.get(`${variant}\n${name}`));
    const bare = median(results.get(`bare\n${name}`));
    return `${(rate / bare).toFixed(2)} (${Math.round(rate)})`.padStart(28);
  });
  console.log(variant.padEnd(28) + cells.join(""));
}

/** Requests per second over `seconds`, every answer read whole and checked to be a 200. */
async function load(url, path, token, seconds) {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const headers = { authorization: `Bearer ${token}` };
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end) {
        const { statusCode, body } = await pool.request({ path, method: "GET", headers });
        await body.dump({ limit: 1 << 20 });
        if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`);
        done++;
      }
    }),
  );
  await pool.close();
  return done / seconds;
}
