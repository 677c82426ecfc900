// The articles of a group in order of publication.
import { bar, make, tag, titleOf, user, whenOf } from "./dom.js";
import { later, percent, plural } from "./words.js";

const FIRST = 60;

/**
 * @param {Array} articles in order of publication
 * @param {{first: number|null, core: number[]}} group `first` is the one surely first observed
 */
export const timeLine = (articles, { first, core }) => {
  const dated = articles.find((a) => a.stamp);
  const origin = first === null ? null : articles[first];
  const since = (origin?.stamp && origin) || dated;
  const items = articles.map((a, n) => make("li", { class: `flag-${a.flag}`, value: n + 1, "data-article": n },
    make("div", { class: "when" }, whenOf(a), make("span", { class: "later" }, a === since ? "" : later(since?.stamp, a.stamp))),
    make("div", { class: "what" },
      make("p", { class: "who" }, make("span", { class: "outlet" }, user(a.label)), " ", tag("flag", a.flag),
        n === first ? make("span", { class: "tag origin" }, a.flag === "earliest" ? "likely origin: first observed" : "first observed") : null,
        core[n] ? null : make("span", { class: "faint small" }, " attached: shares a part")),
      make("p", { class: "headline" }, titleOf(a)),
      a.why ? make("p", { class: "why", dir: "auto" }, a.why) : null),
    make("div", { class: "how" }, a.share === null ? null : [bar(a.share), make("span", {}, `${percent(a.share)} shared`)])));
  const list = make("ol", { class: "moved" }, ...items.slice(0, FIRST));
  if (items.length <= FIRST) return list;
  const more = make("button", {
    type: "button",
    class: "all",
    click: () => { list.append(...items.slice(FIRST)); more.remove(); items[FIRST].querySelector("a")?.focus(); },
  }, `Show all ${plural(items.length, "article")}`);
  return make("div", {}, list, more);
};

/** The dated articles as rows of the chart `spread`. */
export const spreadOf = (articles) => articles
  .filter((a) => a.stamp.length >= 10)
  .map((a) => ({ time: a.stamp, label: a.date, outlet: a.label, title: a.title, flag: a.flag }));
