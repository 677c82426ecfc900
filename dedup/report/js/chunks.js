// Data in named chunks: embedded in the page, in files beside it, or from the service.
import { byId } from "./dom.js";

/** What the page knows from the start; see `ReportData.about`. */
export const about = JSON.parse(byId("about").textContent);

const pending = new Map();
const waiting = new Map();

const unpacked = async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

/** A packed text of the page itself, or `null`. */
export const packedText = async (id) => {
  const node = byId(id);
  return node ? unpacked(node.textContent) : null;
};

// The files of the folder hand over their content so.
globalThis.dedupChunk = (name, base64) => {
  waiting.get(name)?.(base64);
  waiting.delete(name);
};

const fromFile = (name) => new Promise((resolve) => {
  waiting.set(name, (base64) => resolve(unpacked(base64)));
  const script = document.createElement("script");
  script.src = `${about.base}${name}.js`;
  script.addEventListener("error", () => resolve(null));
  document.head.append(script);
});

const fromService = async (name) => {
  const answer = await fetch(`${about.base}${name}.json`);
  if (answer.status === 409) throw new Error("what it shows was updated since; load the page again");
  if (!answer.ok && answer.status !== 404) throw new Error(`the service answers ${answer.status}; try again soon`);
  return answer.ok ? answer.text() : null;
};

const load = async (name) => {
  let text = await packedText(`chunk-${name}`);
  if (text === null && about.mode === "files") text = await fromFile(name);
  if (text === null && about.mode === "service") text = await fromService(name);
  return text === null ? null : JSON.parse(text);
};

/**
 * The chunk `name`, or `null` where the page has no room for it or the file is missing. The last
 * chunks stay in memory, so that a long walk through the groups does not keep all of them.
 */
export const chunk = (name) => {
  const known = pending.get(name) || load(name);
  pending.delete(name);
  pending.set(name, known);
  // What failed is asked for again the next time.
  known.catch(() => { if (pending.get(name) === known) pending.delete(name); });
  if (pending.size > 24) pending.delete(pending.keys().next().value);
  return known;
};

/**
 * Article `n` of a chunk's columns.
 * @param {Object<string, Array>} columns `ref, outlet, title, date, stamp, url, flag, share, …`
 */
export const articleOf = (columns, n) => {
  const article = {};
  for (const name of Object.keys(columns)) article[name] = columns[name][n];
  article.label = article.outlet || article.ref.slice(0, 40);
  return article;
};

/** Texts by ref of the chunk `name`: `{text, cut}`; empty where the page does not hold them. */
export const textsOf = async (name) => {
  const found = await chunk(name);
  return new Map(found ? found.ref.map((ref, k) => [ref, { text: found.text[k], cut: found.cut[k] }]) : []);
};
