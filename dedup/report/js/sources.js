// Sources: who wrote the shared text, with the groups, their articles and the words that say so.
import { inside, make, table, tag, titleOf, user } from "./dom.js";
import { about, articleOf, chunk } from "./chunks.js";
import { choice, listed, searchField } from "./controls.js";
import { hashOf } from "./route.js";
import { folded, number, plural, wordsOf } from "./words.js";

/** Draws the view `#sources?q=&kind=&page=`. */
export const showSources = async (host, { query }) => {
  const sources = await chunk("sources");
  const kinds = [...new Set(sources.map((s) => s.kind))].sort();
  listed({
    view: "sources", noun: "source", host, query, total: sources.length, size: 100,
    fields: [
      searchField("Search sources", query.get("q") || "", "an agency, an outlet"),
      choice("Kind", "kind", query.get("kind") || "", [["", "all"], ...kinds.map((kind) => [kind, kind])]),
    ],
    select: (values) => {
      const wanted = wordsOf(values.q);
      return sources.filter((s) => (!values.kind || s.kind === values.kind) && wanted.every((word) => folded(`${s.name}\n${s.id}`).includes(word)));
    },
    show: (items, body) => body.append(table("Sources by number of articles",
      [["Source"], ["Kind"], ["Groups", "r"], ["Articles", "r"], ["Credited", "r"], ["By copy", "r"], ["Cited for facts by"]],
      items.map((s) => [
        inside(hashOf("source", [s.id]), user(s.name)), s.kind, number(s.groups), number(s.articles), number(s.credited), number(s.inferred),
        s.cited ? [plural(s.cited, "article"), make("span", { class: "faint" }, ": ", ...s.cited_by.flatMap((o, k) => [k ? ", " : "", user(o)]), s.cited > s.cited_by.length ? ", …" : "")] : make("span", { class: "faint" }, "–"),
      ]), { headed: true })),
    record: (s) => s,
  });
  if (about.sources.total > sources.length) {
    host.append(make("p", { class: "cut" }, `Listed are ${number(sources.length)} of ${plural(about.sources.total, "source")}; all are in the table “sources”.`));
  }
};

const sourced = (items, articles) => make("ul", { class: "evidence" }, ...items.map(({ article: n, how, evidence }) => {
  const a = articleOf(articles, n);
  return make("li", {},
    make("span", { class: `role how-${how === "credited" ? "yes" : "no"}` }, user(how)),
    make("span", { class: "where" }, user(a.label), a.date ? `, ${a.date.slice(0, 10)}` : ""),
    make("span", {}, titleOf(a), " ", tag("flag", a.flag),
      evidence && evidence.text ? make("span", { class: "sentence", dir: "auto" }, evidence.before, make("mark", {}, evidence.text), evidence.after,
        evidence.field === "text" ? null : make("span", { class: "faint" }, ` (${evidence.field})`)) : null));
}));

/** Draws the view `#source/ID`. */
export const showSource = async (host, { parts: [id] }) => {
  const sources = await chunk("sources");
  const at = sources.findIndex((s) => s.id === id);
  const block = at < 0 ? null : await chunk(`sources-${Math.floor(at / about.sources.per_block)}`);
  if (!block) {
    host.replaceChildren(make("h1", {}, "Source"), make("p", { class: "empty" }, "This report lists no source ", user(id), ". ", inside("#sources", "All sources")));
    return;
  }
  const source = sources[at];
  const { groups, groups_left, alone, alone_left } = block.sources[at % about.sources.per_block];
  host.replaceChildren(
    make("nav", { class: "walk", "aria-label": "Sources" }, inside("#sources", "All sources")),
    make("h1", { tabindex: -1 }, user(source.name)),
    make("p", { class: "meta" }, make("span", {}, source.kind), make("span", {}, plural(source.articles, "article")), make("span", {}, plural(source.groups, "group")),
      make("span", {}, `cited for facts by ${plural(source.cited, "article")}`),
      source.groups ? inside(hashOf("groups", [], { source: source.name }), "In the list of groups") : null),
    ...groups.map((g) => make("section", { class: "sourced" },
      make("h2", {}, inside(hashOf("group", [g.id]), user(g.title))),
      make("p", { class: "meta" }, make("span", {}, `${plural(g.size, "article")}: ${number(g.credited)} credited to it, ${number(g.uncredited)} not`),
        g.disputed.length ? make("span", { class: "disputed" }, "others credit ", user(g.disputed.join(", "))) : null),
      sourced(g.articles, block.articles),
      g.size > g.articles.length ? make("p", { class: "cut" }, `and ${plural(g.size - g.articles.length, "more article")}, all in the table “groups”.`) : null)),
    groups_left ? make("p", { class: "cut" }, `and ${plural(groups_left, "more group")}, all in the table “groups”.`) : "",
    alone.length ? make("section", { class: "sourced" },
      make("h2", {}, groups.length ? "In no group of this source" : "In no group"),
      sourced(alone, block.articles),
      alone_left ? make("p", { class: "cut" }, `and ${plural(alone_left, "more article")}, all in the table “sources”.`) : null) : "");
};
