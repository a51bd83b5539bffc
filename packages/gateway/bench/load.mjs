// A server process and what it takes to keep it busy.
import { fork } from "node:child_process";
import { join } from "node:path";
import { Pool } from "undici";
import { NEW_PATIENT } from "./fixtures.mjs";

const CONNECTIONS = 32;
const POSTED = JSON.stringify(NEW_PATIENT);
const JSON_BODY = { "content-type": "application/fhir+json" };

export const WORK = {
  "GET Patient": { path: "/fhir/Patient/a", status: 200 },
  "50 Observations": { path: "/fhir/Observation?code=29463-7", status: 200 },
  "POST Patient": { method: "POST", path: "/fhir/Patient", status: 201, body: POSTED, headers: JSON_BODY },
};

/** A promise and its ends, which Node 20 has no word for; a rejection nobody waits for is the ending of a process. */
function pending() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  ends.promise.catch(() => undefined);
  return ends;
}

/** Starts a variant; `ask` gives what its process has used so far, `stop` ends it. */
export async function start(variant) {
  const server = fork(join(import.meta.dirname, "server.mjs"), [JSON.stringify(variant)], {
    env: { ...process.env, NODE_ENV: "production" },
  });
  let settle = pending();
  server.on("message", (message) => settle.resolve(message));
  server.once("exit", () => settle.reject(new Error(`${JSON.stringify(variant)} has ended`)));
  const { url, token } = await settle.promise;
  return {
    url,
    token,
    ask: () => {
      settle = pending();
      server.send("ask");
      return settle.promise;
    },
    stop: () => server.disconnect(),
  };
}

/**
 * Asks so many times, as fast as it is answered on 32 connections: a count and no time, so that a slow machine measures the
 * same code as warm. Requests per second, microseconds of the server's processor time for one, and the 99th percentile of
 * the milliseconds to the last byte.
 */
export async function load({ url, token, ask }, { method = "GET", path, status, body, headers }, count) {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
  const request = { method, path, headers: { ...headers, authorization: `Bearer ${token}` }, body };
  const { cpu: before } = await ask();
  const times = [];
  let asked = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (asked++ < count) {
        const at = performance.now();
        const answer = await pool.request(request);
        const text = await answer.body.text();
        if (answer.statusCode !== status)
          throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
        times.push(performance.now() - at);
      }
    }),
  );
  const elapsed = performance.now() - started;
  const { cpu: after } = await ask();
  await pool.close();
  times.sort((a, b) => a - b);
  return {
    rate: (count * 1000) / elapsed,
    cpu: (after.user + after.system - before.user - before.system) / count,
    p99: times[Math.floor(times.length * 0.99)],
  };
}

/** Reads an export; megabytes per second of the server's processor time, and how much its memory grew at most. */
export async function readExport({ url, token, ask }, megabytes) {
  const pool = new Pool(url, { connections: 1 });
  const { cpu: before, memory } = await ask();
  let peak = memory;
  let done = false;
  const watching = (async () => {
    while (!done) {
      peak = Math.max(peak, (await ask()).memory);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await pool.request({ method: "GET", path: `/export/Binary/${megabytes}`, headers });
  if (answer.statusCode !== 200)
    throw new Error(`the export answered ${answer.statusCode}: ${await answer.body.text()}`);
  let bytes = 0;
  for await (const chunk of answer.body) bytes += chunk.length;
  if (bytes === 0) throw new Error("the export was empty");
  done = true;
  await watching;
  const { cpu: after } = await ask();
  await pool.close();
  const used = after.user + after.system - before.user - before.system;
  return { cpu: used / megabytes, grownMb: (peak - memory) / 1024 / 1024 };
}
