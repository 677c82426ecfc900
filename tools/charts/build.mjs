// Builds dedup/report/charts/charts.js, the same bytes for the same versions:
//   cd tools/charts && npm ci --ignore-scripts && node build.mjs
// `node build.mjs --check` only says whether the file is up to date.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "vega-lite";

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, "..", "..", "dedup", "report", "charts");
const out = join(folder, "charts.js");

const specs = {};
for (const name of readdirSync(folder).filter((file) => file.endsWith(".vl.json")).sort()) {
  const spec = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const { spec: vega } = compile(spec, { config: { background: null } });
  delete vega.$schema;
  specs[name.replace(".vl.json", "")] = vega;
}

const names = ["esbuild", "vega", "vega-interpreter", "vega-lite"];
const versions = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).dependencies;
const result = await build({
  entryPoints: [join(here, "entry.mjs")],
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  legalComments: "none",
  write: false,
  banner: {
    js: `/* ${names.slice(1).map((n) => `${n} ${versions[n]}`).join(", ")}; licences in NOTICE; built by tools/charts/build.mjs */`,
  },
  plugins: [
    {
      name: "specs",
      setup(b) {
        b.onResolve({ filter: /^specs$/ }, () => ({ path: "specs", namespace: "specs" }));
        b.onLoad({ filter: /.*/, namespace: "specs" }, () => ({ contents: JSON.stringify(specs), loader: "json" }));
      },
    },
  ],
});
const text = result.outputFiles[0].text;
if (process.argv.includes("--check")) {
  if (readFileSync(out, "utf8") !== text) {
    console.error("dedup/report/charts/charts.js is out of date: node tools/charts/build.mjs");
    process.exit(1);
  }
} else writeFileSync(out, text);
