// The most reused passages, with their outlets and times.
import { inside, make, tag, user } from "./dom.js";
import { about, articleOf, chunk } from "./chunks.js";
import { choice, listed, searchField } from "./controls.js";
import { hashOf } from "./route.js";
import { folded, number, plural, wordsOf } from "./words.js";

const body = (card, articles) => {
  const first = card.first === null ? null : articleOf(articles, card.first);
  const more = card.outlet_count - card.outlets.length;
  return [
    make("blockquote", { dir: "auto" }, card.text),
    make("p", { class: "meta" },
      tag("kind", card.kind),
      make("span", {}, make("strong", {}, plural(card.count, "article"))),
      card.outlets.length ? make("span", {}, ...card.outlets.flatMap((o, k) => [k ? ", " : "", user(o)]), more > 0 ? ` and ${number(more)} more` : "") : null,
      card.source ? make("span", {}, "source: ", user(card.source)) : null,
      first ? make("span", {}, "first observed: ", user(first.label), first.date ? `, ${first.date}` : "") : null,
      make("span", {}, `score ${card.score.toFixed(1)}`)),
  ];
};

const places = (card, articles) => make("details", {},
  make("summary", {}, "Where and when"),
  make("ol", { class: "places" }, ...card.places.map((n) => {
    const a = articleOf(articles, n);
    return make("li", {}, make("span", { class: "when" }, a.date || "date unknown"), make("span", { class: "outlet" }, user(a.label)), user(a.title || a.ref));
  })),
  card.count > card.places.length ? make("p", { class: "cut" }, `and ${number(card.count - card.places.length)} more, all in the table “passages”.`) : null);

const item = (card, articles) => make("li", { id: `passage-${card.rank}` },
  make("div", { class: "rank", title: "rank" }, number(card.rank)),
  make("div", {},
    ...body(card, articles),
    make("p", { class: "meta" }, card.group === null ? null : inside(hashOf("group", [card.group]), "See the group side by side")),
    places(card, articles),
    card.more.length ? make("details", {},
      make("summary", {}, `${plural(card.more.length + card.more_left, "more passage")} of this story`),
      ...card.more.map((other) => make("div", { class: "more" }, ...body(other, articles), places(other, articles))),
      card.more_left ? make("p", { class: "cut" }, `and ${number(card.more_left)} more, all in the table “passages”.`) : null) : null));

/** Draws the view `#passages?q=&kind=&page=`. */
export const showPassages = async (host, { query }) => {
  const { cards, articles, stories } = await chunk("passages");
  const search = cards.map((card) => folded([card, ...card.more].map((c) => [c.text, c.source, ...c.outlets].join("\n")).join("\n")));
  const kinds = about.kinds.filter((kind) => cards.some((card) => card.kind === kind));
  listed({
    view: "passages", noun: "story", host, query, total: cards.length, size: 25, many: "stories",
    fields: [
      searchField("Search passages", query.get("q") || "", "a word, an outlet, a source"),
      choice("Kind", "kind", query.get("kind") || "", [["", "all"], ...kinds.map((kind) => [kind, kind])]),
    ],
    select: (values) => {
      const wanted = wordsOf(values.q);
      return [...cards.keys()].filter((k) => (!values.kind || cards[k].kind === values.kind) && wanted.every((word) => search[k].includes(word)));
    },
    show: (items, list) => list.append(make("ol", { class: "passages" }, ...items.map((k) => item(cards[k], articles)))),
    record: (k) => {
      const { more, more_left, places: spots, first, ...card } = cards[k];
      return { ...card, first: first === null ? null : articles.ref[first] };
    },
  });
  if (stories > cards.length) {
    host.append(make("p", { class: "cut" }, `Listed are ${number(cards.length)} of ${plural(stories, "story", "stories")} (${plural(about.passages.total, "passage")}); all are in the table “passages”.`));
  }
};
