// `npm run soak [-- minutes]`: mixed traffic at 70 % of capacity while the issuer's keys, certificates and the policy change, for
// half an hour unless told otherwise. Memory must not grow, and no error be unexplained. A short form is among the tests.
import { bin, build, run, setUp } from "./setup.mjs";

setUp();
build("packages/cli");
process.env.WARDLINE_SOAK_MINUTES = process.argv[2] ?? "30";
run(bin("vitest"), ["run", "test/soak"]);
