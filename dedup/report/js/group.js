// One group: its source and the evidence, how it moved, its texts side by side.
import { bar, inside, make, table, tag, user } from "./dom.js";
import { about, articleOf, chunk, textsOf } from "./chunks.js";
import { chart } from "./charts.js";
import { comparison } from "./compare.js";
import { groupAt, placeOf } from "./groups.js";
import { hashOf, remember } from "./route.js";
import { spreadOf, timeLine } from "./timeline.js";
import { number, percent, plural } from "./words.js";

/** The list of evidence; `articles` are the columns that it counts in. */
export const evidenceList = (items, articles) => make("ul", { class: "evidence" }, ...items.map((e) => {
  const article = articleOf(articles, e.article);
  return make("li", {},
    make("span", { class: "role" }, e.role),
    make("span", { class: "where" }, user(article.label), `, ${e.field}`),
    make("span", { class: "sentence", dir: "auto" }, e.before, e.text ? make("mark", {}, e.text) : null, e.after));
}));

let current = null;

/** Goes to the next or the previous shared passage of the comparison that is shown. */
export const stepMatch = (by) => current?.step(by);

const missing = (host, id) => host.replaceChildren(
  make("h1", {}, "Group"),
  make("p", { class: "empty" }, "This report lists no group ", user(id), ". ", inside("#groups", "All groups")));

const summary = (group, row, detail) => {
  const tags = about.flags.map((flag, k) => (row.flags[k] ? tag("flag", flag, `${number(row.flags[k])} ${flag}`) : null));
  return [
    make("h1", { tabindex: -1 }, user(row.title || "(no title)")),
    make("p", { class: "meta" },
      make("span", { class: "src" }, user(row.source)),
      make("span", {}, make("strong", {}, plural(row.size, "article")), row.outlets.length ? ` in ${plural(row.outlets.length, "outlet")}` : ""),
      row.since ? make("span", {}, row.since === row.until ? row.since : `${row.since} to ${row.until}`) : null,
      make("span", {}, ...tags)),
    make("p", { class: "meta" }, make("span", {}, user(row.id)), make("span", {}, `rank ${number(row.rank)}`), make("span", {}, `core of ${number(row.core)}`),
      detail && detail.first === null ? make("span", {}, "the times do not tell who was first") : null),
  ];
};

const sourceOf = (row, detail, articles) => {
  const sure = row.confidence === null ? "" : `, confidence ${percent(row.confidence)}`;
  return make("section", {},
    make("h2", {}, "Source"),
    make("p", {}, make("strong", {}, user(row.source)), " ",
      row.kind === "unknown" ? null : make("span", { class: "faint" }, `(${row.kind}${sure})`)),
    detail.disputed.length ? make("p", { class: "disputed" }, "Its articles disagree: others credit ", user(detail.disputed.join(", ")), ".") : null,
    detail.evidence.length ? evidenceList(detail.evidence, articles) : make("p", { class: "faint" }, "No article of this group says who wrote the text."),
    detail.evidence_left ? make("p", { class: "cut" }, `and ${number(detail.evidence_left)} more, all in the table “groups”.`) : null);
};

const relationsOf = (detail, articles, compare) => {
  if (!detail.relations.length) return null;
  const name = (n) => [`${n + 1}. `, user(articles[n].label)];
  const rows = detail.relations.map(([a, b, relation, revision, ofA, ofB, copied]) => [
    [...name(a), make("span", { class: "faint" }, " and "), ...name(b)],
    [tag("rel", relation), revision ? make("span", { class: "faint" }, " revision") : ""],
    [bar(ofA), ` ${percent(ofA)}`],
    [bar(ofB), ` ${percent(ofB)}`],
    `p ${copied.toFixed(2)}`,
    compare && detail.compared.includes(a) && detail.compared.includes(b)
      ? make("button", { type: "button", click: () => compare(a, b) }, "Compare") : "",
  ]);
  const all = detail.relations.length + detail.relations_left;
  return make("details", { class: "inner" },
    make("summary", {}, `Pairs and their coverage (${number(all)})`),
    table("Pairs of articles of this group", [["Pair"], ["Relation"], ["Of the first", "r nowrap"], ["Of the second", "r nowrap"], ["Copied with", "r nowrap"], ["Compare"]], rows, { className: "relations" }),
    detail.relations_left ? make("p", { class: "cut" }, `and ${number(detail.relations_left)} more, all in the table “relations”.`) : null);
};

const passagesOf = (detail, open) => (detail.passages.length ? make("details", { class: "inner", open },
  make("summary", {}, `Shared passages (${number(detail.passages.length + detail.passages_left)})`),
  make("ol", { class: "plain" }, ...detail.passages.map(([text, kind, count]) => make("li", {},
    make("blockquote", { dir: "auto" }, text),
    make("p", { class: "meta" }, tag("kind", about.kinds[kind]), make("span", {}, plural(count, "article")))))),
  detail.passages_left ? make("p", { class: "cut" }, `and ${number(detail.passages_left)} more, all in the table “passages”.`) : null) : null);

const sideBySide = async (host, id, detail, articles, columns, query) => {
  const place = (await placeOf(id)).block;
  const texts = await textsOf(`group-texts-${place}`);
  const claims = new Map();
  for (const e of detail.evidence) {
    const ref = columns.ref[e.article];
    // What is inferred is all of the shared text; a frame around it would say nothing.
    if (e.start !== null && e.role !== "inferred") claims.set(ref, [...(claims.get(ref) || []), [e.start, e.end]]);
  }
  const offered = detail.compared.filter((n) => texts.has(articles[n].ref)).map((n) => {
    const a = articles[n];
    return { n, label: `${n + 1}. ${a.label}${a.date ? ` · ${a.date}` : ""}`, title: a.title, evidence: claims.get(a.ref) || [], ...texts.get(a.ref) };
  });
  if (offered.length < 2) {
    if (!about.no_texts) host.replaceChildren(make("p", { class: "cut" }, "The texts of this group are not in this page; all are in texts.parquet."));
    return null;
  }
  const numbered = (ref) => offered.find((a) => articles[a.n].ref === ref)?.n;
  const [left, right] = detail.pair;
  const result = comparison(host, {
    articles: offered,
    matches: detail.matches,
    occurrences: detail.occurrences,
    pair: [numbered(query.get("left")) ?? left, numbered(query.get("right")) ?? right],
    quotes: query.get("quotes") !== "0",
    furniture: query.get("furniture") === "1",
    changed: ({ l, r, quotes, furniture }) => {
      const usual = l === left && r === right;
      remember("group", [id], {
        left: usual ? "" : articles[l].ref, right: usual ? "" : articles[r].ref,
        quotes: quotes ? "" : "0", furniture: furniture ? "1" : "",
      });
    },
  });
  if (offered.length < articles.length) {
    host.append(make("p", { class: "cut" }, `The texts of ${number(offered.length)} of these ${number(articles.length)} articles can be compared here.`));
  }
  return result;
};

/** Draws the view `#group/ID?left=REF&right=REF&quotes=0&furniture=1`. */
export const showGroup = async (host, { parts, query }) => {
  current = null;
  const [id] = parts;
  const place = await placeOf(id);
  if (!place) return missing(host, id);
  const row = await groupAt(place);
  const block = await chunk(`group-${place.block}`);
  const detail = block && block.groups.find((g) => g.id === id);
  const near = (by) => (place.neighbours[by] ? hashOf("group", [place.neighbours[by]]) : null);
  const walk = about.single ? null : make("nav", { class: "walk", "aria-label": "Groups" },
    inside("#groups", "All groups"),
    near("before") ? make("a", { href: near("before"), "data-step": "before" }, "← Previous") : null,
    near("after") ? make("a", { href: near("after"), "data-step": "after" }, "Next →") : null);
  if (!detail) {
    host.replaceChildren(walk || "", ...summary(about, row, null),
      row.lead ? make("blockquote", { dir: "auto" }, row.lead) : "",
      make("p", { class: "notice" }, "This page has no room for the articles of this group. The folder “report” (option --full-report) holds every group, and the table “groups” lists its articles."));
    return null;
  }
  const articles = detail.articles.map((n) => articleOf(block.articles, n));
  const compare = make("div", { class: "compare" });
  const figure = make("div", { class: "spread" });
  const paired = detail.pair && !about.no_texts;
  host.replaceChildren(...[
    walk,
    ...summary(about, row, detail),
    sourceOf(row, detail, block.articles),
    make("section", {}, make("h2", {}, "How it moved"), figure, timeLine(articles, detail),
      detail.size > articles.length ? make("p", { class: "cut" }, `Listed are ${number(articles.length)} of ${plural(detail.size, "article")}; all are in the table “groups”.`) : null),
    paired ? make("section", {}, make("h2", {}, "Side by side"), compare) : null,
    relationsOf(detail, articles, paired ? (a, b) => current?.choose(a, b) : null),
    passagesOf(detail, !paired),
  ].filter(Boolean));
  const rows = spreadOf(articles);
  if (rows.length > 3 && new Set(rows.map((r) => r.time)).size > 2) {
    chart(figure, {
      name: "spread", rows, colours: Object.fromEntries(about.flags.map((flag) => [flag, flag])),
      label: `When ${plural(new Set(rows.map((r) => r.outlet)).size, "outlet")} published the articles of this group; the list below says the same.`,
      table: () => table("Articles by time", [["Published"], ["Outlet"], ["Title"], ["Flag"]], rows.map((r) => [r.label, user(r.outlet), user(r.title), r.flag])),
    });
  }
  if (paired) current = await sideBySide(compare, id, detail, articles, block.articles, query);
  return null;
};
