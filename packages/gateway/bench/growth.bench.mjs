// Whether a request costs more where there is more: callers, scopes of a token, rules of redaction (without sockets, in one
// process), routes of a gateway (processor time of its process). Variants take turns, and the best of many short rounds counts.
// `--quick` only checks that it runs.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import express from "express";
import { noteFigures } from "../../../scripts/kept.mjs";
import { unlessQuick } from "../../../scripts/quick.mjs";
import { BASE, PATIENT } from "./fixtures.mjs";
import { injector, openIssuer, tokenFor } from "./inject.mjs";
import { load, start, WORK } from "./load.mjs";
import { everything } from "./stacks.mjs";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc");
const ROUNDS = unlessQuick(80);
const PER_ROUND = unlessQuick(320, 32);
const AT_ONCE = 32;
const TYPES = [
  "Observation",
  "Condition",
  "Procedure",
  "Encounter",
  "Claim",
  "Coverage",
  "Goal",
  "CarePlan",
  "Device",
  "List",
];

const folder = mkdtempSync(join(tmpdir(), "growth-bench-"));
const issuer = await openIssuer();

const app = async (profile) => {
  const made = express().disable("x-powered-by");
  const own = join(folder, String(Math.random()));
  await everything(made, { folder: own, issuer: issuer.url, durability: "async", ...(profile && { profile }) });
  made.get("/fhir/Patient/:id", (_req, res) => void res.type("application/fhir+json").json(PATIENT));
  return injector(made);
};

const usual = [tokenFor(issuer.url, {})];
const callers = async (count) => [
  await app(),
  Array.from({ length: count }, (_, at) =>
    tokenFor(issuer.url, { sub: `u${at}`, client_id: `app${at}`, jti: String(at) }),
  ),
];
const scopes = async (count) => {
  const more = Array.from({ length: count - 1 }, (_, at) => `user/${TYPES[at % TYPES.length]}.rs?_tag=t${at}`);
  return [await app(), [tokenFor(issuer.url, { scope: ["user/Patient.rs", ...more].join(" ") })]];
};
const rules = async (count) => {
  const one = (at) => ({ path: `Patient.extension('${BASE}/extension-${at}')`, action: "remove" });
  const { defineProfile } = await import("@wardline/phi-redact");
  return [await app(defineProfile({ name: "many", rules: Array.from({ length: count }, (_, at) => one(at)) })), usual];
};

const figures = {};
await grow("callers", callers, [10, 1000, 10_000]);
await weigh(unlessQuick(10_000, 32));
await grow("scopes of a token", scopes, [1, 10, 50]);
await grow("rules of redaction", rules, [1, 50, 200]);
await growRoutes([1, 100, 1000]);
noteFigures(import.meta.url, figures);
issuer.close();
rmSync(folder, { recursive: true, force: true });
process.exit();

async function grow(name, variant, counts) {
  const variants = [];
  for (const count of counts)
    variants.push({ count, best: Number.POSITIVE_INFINITY, at: 0, made: await variant(count) });
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of variants) one.best = Math.min(one.best, await askSeveral(one));
  }
  tell(name, variants);
}

/** What is remembered of a caller that asked once: its token, its rights, its windows, its ways. */
async function weigh(count) {
  const [ask, tokens] = await callers(count);
  const held = () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  await ask("/fhir/Patient/a", usual[0]);
  const before = held();
  for (let at = 0; at < count; at += AT_ONCE) {
    await Promise.all(tokens.slice(at, at + AT_ONCE).map((token) => ask("/fhir/Patient/a", token)));
  }
  const kilobytes = (held() - before) / count / 1000;
  console.log(`memory of a caller   ${kilobytes.toFixed(1)} kB, of ${count} that asked once`);
}

/** Microseconds of one request. Every caller asks in turn, which is the worst there is for whoever remembers some. */
async function askSeveral(variant) {
  const [ask, tokens] = variant.made;
  const started = performance.now();
  for (let asked = 0; asked < PER_ROUND; asked += AT_ONCE) {
    const next = () => ask("/fhir/Patient/a", tokens[variant.at++ % tokens.length]);
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    // The disk gets its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ((performance.now() - started) * 1000) / PER_ROUND;
}

async function growRoutes(counts) {
  const upstream = await start({ kind: "upstream" });
  const variants = [];
  for (const routes of counts) {
    const server = await start({ kind: "gateway", upstream: upstream.url, routes });
    // V8 goes on compiling for longer than that; before, a process costs half as much again.
    await load(server, WORK["GET Patient"], unlessQuick(15_000, 32));
    variants.push({ count: routes, best: Number.POSITIVE_INFINITY, server });
  }
  for (let round = 0; round < unlessQuick(8); round++) {
    for (const one of variants) {
      const { cpu } = await load(one.server, WORK["GET Patient"], unlessQuick(2_000, 32));
      one.best = Math.min(one.best, cpu);
    }
  }
  for (const { server } of variants) server.stop();
  upstream.stop();
  tell("routes of a gateway", variants);
}

function tell(name, variants) {
  const [{ best: least }] = variants;
  const cells = variants.map(({ count, best }) => `${count}: ${best.toFixed(1)} us (${(best / least).toFixed(2)})`);
  console.log(`${name.padEnd(20)} ${cells.join("   ")}`);
  for (const { count, best } of variants.slice(1)) figures[`${count} ${name}`] = best / least;
}
