// A server process and what it takes to keep it busy.
import { fork } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { NEW_PATIENT } from "./fixtures.mjs";

const CONNECTIONS = 32;
const POSTED = JSON.stringify(NEW_PATIENT);
const JSON_BODY = { "content-type": "application/fhir+json" };

export const WORK = {
  "GET Patient": { path: "/fhir/Patient/a", status: 200 },
  "50 Observations": { path: "/fhir/Observation?code=29463-7", status: 200 },
  "GET, 64 at once": { path: "/fhir/Patient/a", status: 200, connections: 64 },
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
 * Asks so many times, as fast as it is answered on 32 connections, or as many as `work` says: a count and no time, so that a
 * slow machine measures the same code as warm. Requests per second, microseconds of the server's processor time for one, and
 * the 99th percentile of the milliseconds to the last byte.
 */
export async function load(server, work, count) {
  const connections = await open(server, work);
  const { cpu: before } = await server.ask();
  const times = [];
  let asked = 0;
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (asked++ < count) {
        const at = performance.now();
        await connection.ask();
        times.push(performance.now() - at);
      }
    }),
  );
  const elapsed = performance.now() - started;
  const { cpu: after } = await server.ask();
  for (const connection of connections) connection.close();
  return { rate: (count * 1000) / elapsed, cpu: cpuOf(before, after) / count, p99: percentile(times, 0.99) };
}

/**
 * Asks at a steady rate, whether or not what was asked before has been answered, as callers do who know nothing of each other:
 * percentiles of the milliseconds from when a request was due to its last byte.
 */
export async function loadSteadily(server, work, { perSecond, seconds }) {
  const free = await open(server, work);
  const everything = [...free];
  const waiting = [];
  const times = [];
  const count = Math.round(perSecond * seconds);
  const done = pending();
  const started = performance.now();
  const serve = async (connection, due) => {
    await connection.ask();
    times.push(performance.now() - due);
    if (times.length === count) return done.resolve();
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else void serve(connection, next).catch(done.reject);
  };
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * perSecond));
    for (; sent < due; sent++) {
      const connection = free.pop();
      const at = started + (sent * 1000) / perSecond;
      if (connection === undefined) waiting.push(at);
      else void serve(connection, at).catch(done.reject);
    }
    if (sent === count) clearInterval(timer);
  }, 1);
  await done.promise;
  for (const connection of everything) connection.close();
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

function percentile(times, share) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)];
}

function cpuOf(before, after) {
  return after.user + after.system - before.user - before.system;
}

function open(server, work) {
  const { connections = CONNECTIONS } = work;
  return Promise.all(Array.from({ length: connections }, () => openConnection(server, work)));
}

/**
 * One request after the other on a connection, written as one piece and read no further than is needed to know where its answer
 * ends: a client that costs little leaves the machine to the server.
 */
async function openConnection({ url, token }, { method = "GET", path, status, body = "", headers = {} }) {
  const { hostname, port, host } = new URL(url);
  const length = method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const fields = { host, authorization: `Bearer ${token}`, ...headers, ...length };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let settle = pending();
  let answer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
    const end = endOf(answer);
    if (end === undefined) return;
    const given = Number(answer.latin1Slice(9, 12));
    if (given === status && end === answer.length) settle.resolve();
    else settle.reject(new Error(`${path} answered ${answer.toString("latin1", 0, 2000)}`));
    answer = Buffer.alloc(0);
  });
  socket.on("error", (error) => settle.reject(error));
  socket.on("close", () => settle.reject(new Error(`${path}: the connection was closed`)));
  return {
    ask() {
      settle = pending();
      socket.write(request);
      return settle.promise;
    },
    close: () => socket.destroy(),
  };
}

/** Where the answer ends, when all of it is here. */
function endOf(answer) {
  const head = answer.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.latin1Slice(0, head))?.[1];
  if (length !== undefined) {
    const end = head + 4 + Number(length);
    return answer.length >= end ? end : undefined;
  }
  return answer.subarray(-5).equals(LAST_CHUNK) ? answer.length : undefined;
}

const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Reads an export; megabytes per second of the server's processor time, and how much its memory grew at most. */
export async function readExport({ url, token, ask }, megabytes) {
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
  const answer = await fetch(`${url}/export/Binary/${megabytes}`, { headers });
  if (answer.status !== 200) throw new Error(`the export answered ${answer.status}: ${await answer.text()}`);
  let bytes = 0;
  for await (const chunk of answer.body) bytes += chunk.length;
  if (bytes === 0) throw new Error("the export was empty");
  done = true;
  await watching;
  const { cpu: after } = await ask();
  return { cpu: cpuOf(before, after) / megabytes, grownMb: (peak - memory) / 1024 / 1024 };
}
