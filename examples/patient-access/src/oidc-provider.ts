// oidc-provider recommends Node 22 in a warning at its import; this example's tests run it on Node 20 too.
const { warn } = console;
console.warn = (...words: unknown[]) => {
  if (!String(words[0]).includes("Unsupported runtime")) warn(...words);
};
const oidcProvider = await import("oidc-provider");
console.warn = warn;

type OidcProvider = typeof import("oidc-provider");
export const Provider: OidcProvider["default"] = oidcProvider.default;
export const errors: OidcProvider["errors"] = oidcProvider.errors;
