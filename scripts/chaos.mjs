// `npm run chaos`: upstream, Redis, issuer and disk broken under load, killed and frozen, in all combinations of two. `npm test`
// has each pair once.
import { bin, run, setUp } from "./setup.mjs";

setUp();
process.env.WARDLINE_CHAOS = "all";
run(bin("vitest"), ["run", "test/chaos"]);
