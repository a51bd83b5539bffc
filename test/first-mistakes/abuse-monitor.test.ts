import { type AbuseMonitorOptions, abuseMonitor } from "@wardline/abuse-monitor";
import { describe } from "vitest";
import { mistakesAtStart } from "./support.ts";

const start = (options: unknown) => () => abuseMonitor(options as AbuseMonitorOptions);

describe("what stops the start, and what to write instead", () => {
  mistakesAtStart({
    "options that are none": [start(null), "give an object; known options are"],
    "a misspelled option": [start({ response: {} }), "did you mean `responses`?"],
    "a misspelled pattern": [
      start({ responses: { "patient-enumerations": { action: "block", seconds: 1 } } }),
      "did you mean `patient-enumeration`?",
    ],
    "an action nobody knows": [
      start({ responses: { "token-guessing": { action: "ban" } } }),
      "write one of tell, slow-down",
    ],
    "a step-up where nobody is logged in": [
      start({ responses: { "token-guessing": { action: "step-up" } } }),
      "nobody is logged in who could step up: write slow-down or block",
    ],
    "minutes in place of seconds": [
      start({ responses: { "bulk-access": { action: "block", seconds: "15m" } } }),
      "responses.bulk-access.seconds: write a whole number above zero",
    ],
    "a cost that slows nothing": [
      start({ responses: { "bulk-access": { action: "slow-down", cost: 1 } } }),
      "write a whole number above one",
    ],
    "shared without a key": [
      start({ shared: { sendCommand: () => Promise.resolve() } }),
      "instances that share need the same key: give 16 random bytes",
    ],
    "shared without a client": [start({ shared: {}, key: Buffer.alloc(16) }), "shared.sendCommand: give a function"],
    "a key too short": [start({ key: Buffer.from("secret") }), "key: give at least 16 random bytes"],
  });
});
