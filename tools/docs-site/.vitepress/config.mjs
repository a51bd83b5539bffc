// The pages are the Markdown files themselves, where they lie; nothing is copied or changed to make the site.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");
const require = createRequire(import.meta.url);
const REPOSITORY = "https://github.com/wardline/wardline/blob/main/";

export default {
  title: "Wardline",
  description: "Express middlewares that guard FHIR APIs carrying patient records",
  srcDir: root,
  outDir: join(root, ".site"),
  cacheDir: join(root, ".tools/site-cache"),
  base: process.env.WARDLINE_SITE_BASE ?? "/",
  srcExclude: ["**/node_modules/**", ".*/**", "tools/**", "**/CHANGELOG.md", "packages/*/{src,test,starters}/**"],
  rewrites: (page) => page.replace(/(^|\/)README\.md$/, "$1index.md"),
  lastUpdated: false,
  markdown: { config: (md) => md.core.ruler.push("outward", leadOutOfThePages), languageAlias: { cjs: "js" } },
  vite: {
    resolve: {
      alias: [
        { find: /^vue\/server-renderer$/, replacement: require.resolve("vue/server-renderer") },
        {
          find: /^vue$/,
          replacement: join(dirname(require.resolve("vue/package.json")), "dist/vue.runtime.esm-bundler.js"),
        },
      ],
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Tutorial", link: "/docs/tutorial" },
      { text: "Policy", link: "/docs/policy" },
      { text: "Errors", link: "/docs/error-codes" },
    ],
    sidebar: [
      {
        text: "Start",
        items: [page("README.md"), page("docs/README.md"), page("docs/tutorial.md"), page("GLOSSARY.md")],
      },
      { text: "How to", items: pages("docs/how-to") },
      {
        text: "Explained",
        items: [
          page("docs/pipeline.md"),
          ...pages("docs/explain"),
          page("docs/threat-model.md"),
          page("docs/mutation.md"),
        ],
      },
      {
        text: "Reference",
        items: ["policy", "options", "error-codes", "performance"].map((name) => page(`docs/${name}.md`)),
      },
      { text: "Packages", items: readmes("packages") },
      { text: "Packages in depth", collapsed: true, items: pages("docs/packages") },
      { text: "Examples", items: readmes("examples") },
      { text: "Public API", collapsed: true, items: pages("api") },
      { text: "Decisions", collapsed: true, items: pages("docs/adr") },
    ],
  },
};

function page(file) {
  const heading = /^# (.+)$/m.exec(readFileSync(join(root, file), "utf8"))?.[1] ?? file;
  return { text: heading.replaceAll("`", ""), link: `/${file.replace(/(README)?\.md$/, "")}` };
}

function pages(folder) {
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  return files.map((name) => page(`${folder}/${name}`));
}

function readmes(folder) {
  return readdirSync(join(root, folder)).map((name) => ({ text: name, link: `/${folder}/${name}/` }));
}

/** In a repository a link may lead to a folder or to source. On the site a folder is its README, and source is in the repository. */
function leadOutOfThePages({ tokens, env }) {
  for (const { type, children } of tokens) {
    if (type !== "inline") continue;
    for (const link of children.filter((token) => token.type === "link_open")) {
      const [target, anchor] = link.attrGet("href").split("#");
      if (target === "" || /^([a-z]+:|\/)/.test(target)) continue;
      const file = resolve(dirname(env.path), target);
      if (!existsSync(file)) continue; // said by the check of dead links
      const after = anchor === undefined ? "" : `#${anchor}`;
      const folder = file.endsWith("README.md") ? dirname(file) : file;
      if (existsSync(join(folder, "README.md"))) link.attrSet("href", `/${join(relative(root, folder), "/")}${after}`);
      else if (!file.endsWith(".md")) link.attrSet("href", `${REPOSITORY}${relative(root, file)}${after}`);
    }
  }
}
