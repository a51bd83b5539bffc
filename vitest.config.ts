import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@wardline/source"] },
  ssr: { resolve: { conditions: ["@wardline/source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
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
