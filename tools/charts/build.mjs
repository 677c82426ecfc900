// Builds dedup/report/charts/charts.js and the licences of what is in it, the same bytes for the
// same versions:
//   cd tools/charts && npm ci --ignore-scripts && node build.mjs
// `node build.mjs --check` only says whether the file is up to date.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "vega-lite";

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, "..", "..", "dedup", "report", "charts");

const specs = {};
for (const name of readdirSync(folder).filter((file) => file.endsWith(".vl.json")).sort()) {
  const spec = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const { spec: vega } = compile(spec, { config: { background: null } });
  delete vega.$schema;
  specs[name.replace(".vl.json", "")] = vega;
}

const result = await build({
  entryPoints: [join(here, "entry.mjs")],
  absWorkingDir: here,
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  legalComments: "none",
  metafile: true,
  write: false,
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

// Every page carries the program, so every page must carry its licences.
const packages = new Map();
const [{ inputs }] = Object.values(result.metafile.outputs);
for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
  const name = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
  if (!name || !bytesInOutput || packages.has(name)) continue;
  const root = join(here, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const file = readdirSync(root).find((entry) => /^licen[sc]e/i.test(entry));
  packages.set(name, { version, text: readFileSync(join(root, file), "utf8").trim() });
}
const byText = new Map();
for (const name of [...packages.keys()].sort()) {
  const { version, text } = packages.get(name);
  byText.set(text, [...(byText.get(text) || []), `${name} ${version}`]);
}
const licences = `${[...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}`).join("\n\n---\n\n")}\n`;

const built = {
  "charts.js": `/*\n${licences.replaceAll("*/", "* /")}*/\n${result.outputFiles[0].text}`,
  "LICENSES.txt": licences,
};
for (const [name, text] of Object.entries(built)) {
  const path = join(folder, name);
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`dedup/report/charts/${name} is out of date: node tools/charts/build.mjs`);
    process.exit(1);
  }
}
