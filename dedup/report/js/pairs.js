// Pairs outside the groups: quotes shared by independent articles, and near misses.
import { inside, make, table, titleOf, user } from "./dom.js";
import { about, articleOf, chunk, textsOf } from "./chunks.js";
import { comparison } from "./compare.js";
import { choice, listed, searchField } from "./controls.js";
import { hashOf, remember } from "./route.js";
import { folded, number, percent, plural, wordsOf } from "./words.js";

const side = (article) => [
  make("span", { class: "outlet" }, user(article.label)), " ", make("span", { class: "faint small" }, article.date), make("br"), titleOf(article),
];

const list = (view, noun, last, cell) => async (host, { query }) => {
  const { pairs, articles } = await chunk(view);
  const all = pairs.map((pair) => ({ ...pair, one: articleOf(articles, pair.a), other: articleOf(articles, pair.b) }));
  const search = new Map(all.map((p) => [p, folded([p.one, p.other].flatMap((a) => [a.outlet, a.title, a.ref]).concat(p.shared).join("\n"))]));
  const reasons = [...new Set(all.map((p) => p.missed_by.split(" ")[0]).filter(Boolean))].sort();
  const fields = [searchField("Search pairs", query.get("q") || "", "a title, an outlet, a word")];
  if (reasons.length > 1) fields.push(choice("Missed by", "reason", query.get("reason") || "", [["", "all"], ...reasons.map((r) => [r, r])]));
  listed({
    view, noun, host, fields, query, total: all.length, size: 25,
    select: (values) => {
      const wanted = wordsOf(values.q);
      return all.filter((p) => (!values.reason || p.missed_by.split(" ")[0] === values.reason) && wanted.every((word) => search.get(p).includes(word)));
    },
    show: (items, body) => body.append(table(`${noun}s`, [["One article"], ["The other"], [last], ["Compare"]], items.map((p) => [
      side(p.one), side(p.other), cell(p),
      make("a", { class: "button", href: hashOf(view, [p.one.ref, p.other.ref]), "aria-label": `Compare ${p.one.label} and ${p.other.label}` }, "Compare"),
    ]), { className: "pairs" })),
    record: (p) => ({ a: p.one.ref, b: p.other.ref, outlet_a: p.one.outlet, outlet_b: p.other.outlet, relation: p.relation, coverage_a: p.coverage_a, coverage_b: p.coverage_b, missed_by: p.missed_by, shared: p.shared }),
  });
  const { total } = about[view.replace("-", "_")];
  if (total > all.length) host.append(make("p", { class: "cut" }, `Listed are the ${number(all.length)} that score highest of ${plural(total, "pair")}; all are in the table “${view === "quotes" ? "relations" : "near_misses"}”.`));
};

const one = async (view, host, [refA, refB], query) => {
  const { pairs, articles } = await chunk(view);
  const at = pairs.findIndex((p) => articles.ref[p.a] === refA && articles.ref[p.b] === refB);
  const back = make("nav", { class: "walk", "aria-label": "Pairs" }, inside(`#${view}`, "All pairs"));
  if (at < 0) {
    host.replaceChildren(back, make("p", { class: "empty" }, "This report lists no such pair."));
    return;
  }
  const pair = pairs[at];
  const texts = await textsOf(`${view}-texts-${Math.floor(at / about.quotes.per_block)}`);
  const both = [pair.a, pair.b].map((n) => articleOf(articles, n));
  const place = make("div", { class: "compare" });
  host.replaceChildren(back,
    make("p", { class: "meta" }, make("span", {}, `relation: ${pair.relation}`), pair.missed_by ? make("span", {}, "missed by ", user(pair.missed_by)) : null,
      make("span", {}, `${percent(pair.coverage_a)} of one, ${percent(pair.coverage_b)} of the other`)),
    ...both.map((a) => make("p", {}, ...side(a))), place);
  if (!both.every((a) => texts.has(a.ref))) {
    place.replaceChildren(pair.shared ? make("blockquote", { dir: "auto" }, pair.shared) : "", make("p", { class: "cut" }, "The texts of this pair are not in this page; all are in texts.parquet."));
    return;
  }
  comparison(place, {
    articles: both.map((a, n) => ({ n, label: `${a.label}${a.date ? ` · ${a.date}` : ""}`, title: a.title, evidence: [], ...texts.get(a.ref) })),
    matches: pair.matches.map((match) => [0, 1, ...match]),
    occurrences: [],
    pair: [0, 1],
    quotes: query.get("quotes") !== "0",
    furniture: query.get("furniture") === "1",
    changed: ({ quotes, furniture }) => remember(view, [refA, refB], { quotes: quotes ? "" : "0", furniture: furniture ? "1" : "" }),
  });
};

const view = (name, noun, last, cell) => {
  const all = list(name, noun, last, cell);
  return (host, at) => (at.parts.length > 1 ? one(name, host, at.parts, at.query) : all(host, at));
};

/** Draws the view `#quotes?q=&page=` or `#quotes/REF/REF`. */
export const showQuotes = view("quotes", "pair", "Shared words", (p) => (p.shared
  ? make("q", { dir: "auto" }, p.shared) : make("span", { class: "faint" }, "a phrase outside quotation marks")));

/** Draws the view `#near-misses?q=&reason=&page=` or `#near-misses/REF/REF`. */
export const showNearMisses = view("near-misses", "pair", "Missed by", (p) => [
  user(p.missed_by), make("span", { class: "faint small" }, ` (${percent(p.coverage_a)} of one, ${percent(p.coverage_b)} of the other)`),
]);
