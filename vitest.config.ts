import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * While one works on a package its siblings are taken from their sources. `npm test` has just built them, and takes what will
 * be published: loaded by Node itself, which is also what makes three hundred test files start soon.
 */
const built = process.env["WARDLINE_TEST_BUILT"] === "true";
const conditions = built ? [] : ["@wardline/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    ...(built ? { server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } } } : {}),
    include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    // Many tests wait for timers and other processes: one more than there are cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A busy machine may be slow; what is awaited either comes or never does.
    expect: { poll: { timeout: 10_000 } },
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      reporter: ["text", "json-summary"],
    },
  },
});
