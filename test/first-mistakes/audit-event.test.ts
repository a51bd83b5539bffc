import { type AuditEventOptions, auditEvent, checkpointSigner, shipLedger } from "@wardline/audit-event";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const start = (options: unknown) => () => auditEvent(options as AuditEventOptions);
const source = { observer: "edge-1" };

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "no options": [start(undefined), "give an object; known options are ledger"],
    "no ledger": [start({ source }), "ledger: give a folder, or what openLedger resolves to"],
    "a misspelled option": [start({ ledger: "audit", durabilty: "async" }), "did you mean `durability`?"],
    "an unnamed edge": [start({ ledger: "audit", source: {} }), "source.observer: name this edge"],
    "hashed identifiers without a key": [
      start({ ledger: "audit", source, identifiers: "hashed" }),
      "identifierKey: give a key for hashed identifiers",
    ],
    "a key too short": [
      start({ ledger: "audit", source, identifiers: "hashed", identifierKey: { id: "k", key: Buffer.from("secret") } }),
      "identifierKey.key: give at least 32 random bytes",
    ],
    "another durability": [start({ ledger: "audit", durability: "sync" }), "durability: use before-response or async"],
    "another reaction": [start({ ledger: "audit", onFailure: "ignore" }), "onFailure: use refuse or continue"],
    "a console that is no logger": [start({ ledger: "audit", logger: {} }), "logger: give an object with a log method"],
    "a signer with an RSA key": [
      () => checkpointSigner({ name: "audit.example.org", privateKey: "-----BEGIN RSA PRIVATE KEY-----" }),
      "privateKey: give an Ed25519 or ECDSA P-256 private key",
    ],
    "nowhere to ship to": [
      () => shipLedger({ folder: "audit", cursorFolder: "cursors", sinks: [] }),
      "sinks: give at least one sink",
    ],
  });
});
