// The list of groups: searched, filtered, sorted, paged; and where each group's details are.
import { make, stack, tag, user } from "./dom.js";
import { about, chunk } from "./chunks.js";
import { choice, dateField, listed, searchField } from "./controls.js";
import { hashOf } from "./route.js";
import { folded, number, percent, plural, wordsOf } from "./words.js";

const OFFERED = 300;
const PARTS = Math.max(1, Math.ceil(about.groups.listed / about.groups.per_index));

/** Where a group is: `{part, at, block, neighbours: {before, after}}`; `null` for an unknown id. */
export const placeOf = async (id) => {
  for (let part = 0; part < PARTS; part++) {
    const index = await indexOf(part);
    const at = index.number.get(id);
    if (at === undefined) continue;
    const block = Math.floor((part * about.groups.per_index + at) / about.groups.per_block);
    return { part, at, block, neighbours: { before: index.columns.id[at - 1], after: index.columns.id[at + 1] } };
  }
  return null;
};

/** The row of the index at a place, names in the place of numbers. */
export const groupAt = async ({ part, at }) => rowOf((await indexOf(part)).columns, at);

const rowOf = (columns, at) => ({
  id: columns.id[at],
  rank: columns.rank[at],
  title: columns.title[at],
  lead: columns.lead[at],
  source: columns.source_names[columns.source[at]],
  kind: columns.kind[at],
  confidence: columns.confidence[at],
  size: columns.size[at],
  core: columns.core[at],
  outlets: columns.outlets[at].map((n) => columns.outlet_names[n]),
  languages: columns.languages[at].map((n) => columns.language_names[n]),
  flags: columns.flags[at],
  since: columns.since[at],
  until: columns.until[at],
  share: columns.share[at],
});

const indexes = new Map();

// An index stays; it is what every view of groups needs.
const indexOf = (part) => {
  if (!indexes.has(part)) {
    const made = chunk(`groups-${part}`).then((columns) => ({
      columns,
      number: new Map(columns.id.map((id, at) => [id, at])),
    }));
    made.catch(() => indexes.delete(part));
    indexes.set(part, made);
  }
  return indexes.get(part);
};

/** What is searched of each group, made when it is first needed. */
const haystacks = (columns) => {
  const outlets = columns.outlet_names.map(folded);
  const sources = columns.source_names.map(folded);
  return columns.id.map((id, at) => [
    folded(`${columns.title[at]}\n${columns.lead[at]}\n${id}`), sources[columns.source[at]], ...columns.outlets[at].map((n) => outlets[n]),
  ].join("\n"));
};

const counted = (names, lists) => {
  const counts = new Array(names.length).fill(0);
  for (const list of lists) for (const n of list) counts[n] += 1;
  return names.map((name, n) => [name, counts[n]]).filter(([name, count]) => name && count)
    .sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).slice(0, OFFERED)
    .map(([name, count]) => [name, `${name} (${number(count)})`]);
};

// The index is in order of rank.
const ORDERS = {
  size: (c) => (x, y) => c.size[y] - c.size[x] || x - y,
  spread: (c) => (x, y) => c.outlets[y].length - c.outlets[x].length || c.size[y] - c.size[x] || x - y,
  newest: (c) => (x, y) => (c.until[x] < c.until[y] ? 1 : c.until[x] > c.until[y] ? -1 : x - y),
  oldest: (c) => (x, y) => ((c.since[x] || "~") < (c.since[y] || "~") ? -1 : (c.since[x] || "~") > (c.since[y] || "~") ? 1 : x - y),
};

const selected = (columns, search, values) => {
  const wanted = wordsOf(values.q);
  const source = values.source ? columns.source_names.indexOf(values.source) : null;
  const outlet = values.outlet ? columns.outlet_names.indexOf(values.outlet) : null;
  const language = values.language ? columns.language_names.indexOf(values.language) : null;
  const flag = values.flag ? about.flags.indexOf(values.flag) : null;
  const share = Number(values.share) || 0;
  const found = [];
  for (let at = 0; at < columns.id.length; at++) {
    if (source !== null && columns.source[at] !== source) continue;
    if (outlet !== null && !columns.outlets[at].includes(outlet)) continue;
    if (language !== null && !columns.languages[at].includes(language)) continue;
    if (flag !== null && !columns.flags[at][flag]) continue;
    if (columns.share[at] < share) continue;
    if (values.since && !(columns.until[at] >= values.since)) continue;
    if (values.until && !(columns.since[at] && columns.since[at] <= values.until)) continue;
    if (wanted.length && !wanted.every((word) => search()[at].includes(word))) continue;
    found.push(at);
  }
  return ORDERS[values.sort] ? found.sort(ORDERS[values.sort](columns)) : found;
};

const card = (row) => make("li", { class: "card", id: `card-${row.rank}` },
  make("div", { class: "rank", title: "rank" }, number(row.rank)),
  make("div", { class: "about" },
    make("h2", {}, make("a", { href: hashOf("group", [row.id]) }, user(row.title || "(no title)"))),
    make("p", { class: "meta" },
      make("span", { class: "src" }, user(row.source)),
      make("span", {}, make("strong", {}, plural(row.size, "article")), row.outlets.length ? ` in ${plural(row.outlets.length, "outlet")}` : ""),
      row.since ? make("span", {}, row.since === row.until ? row.since : `${row.since} to ${row.until}`) : null,
      row.share ? make("span", {}, `${percent(row.share)} shared`) : null),
    row.outlets.length ? make("p", { class: "meta names" }, ...row.outlets.slice(0, 6).flatMap((o, k) => [k ? " · " : "", user(o)]),
      row.outlets.length > 6 ? ` and ${number(row.outlets.length - 6)} more` : "") : null),
  make("div", { class: "flags" }, stack(about.flags.map((flag, k) => [`fill-${flag}`, row.flags[k]])),
    make("p", {}, ...about.flags.map((flag, k) => (row.flags[k] ? tag("flag", flag, `${number(row.flags[k])} ${flag}`) : null)))));

/** Draws the view `#groups?q=&source=&outlet=&language=&flag=&share=&since=&until=&sort=&page=&part=`. */
export const showGroups = async (host, { query }) => {
  const part = Math.min(PARTS, Math.max(1, Number(query.get("part")) || 1)) - 1;
  const { columns } = await indexOf(part);
  let stacks = null;
  const search = () => { stacks ??= haystacks(columns); return stacks; };
  setTimeout(search, 300); // before anybody has typed a word
  const value = (name) => query.get(name) || "";
  const some = (names, lists, all) => [["", all], ...counted(names, lists)];
  const flags = about.flags.map((flag, k) => [flag, columns.flags.some((f) => f[k])]).filter(([, any]) => any).map(([flag]) => [flag, flag]);
  const sources = some(columns.source_names, columns.source.map((n) => [n]), "all");
  const fields = [
    searchField("Search groups", value("q"), "a title, an outlet, a word"),
    choice("Source", "source", value("source"), sources),
    choice("Outlet", "outlet", value("outlet"), some(columns.outlet_names, columns.outlets, "all")),
    choice("Holds", "flag", value("flag"), [["", "any flag"], ...flags]),
    choice("Shared", "share", value("share"), [["", "any share"], ["0.25", "25 % and more"], ["0.5", "50 % and more"], ["0.75", "75 % and more"], ["0.9", "90 % and more"]]),
    dateField("From", "since", value("since")),
    dateField("To", "until", value("until")),
    choice("Sort by", "sort", value("sort") || "rank", [["rank", "rank"], ["size", "articles"], ["spread", "outlets"], ["newest", "newest"], ["oldest", "oldest"]]),
  ];
  if (columns.language_names.length > 1) fields.splice(3, 0, choice("Language", "language", value("language"), some(columns.language_names, columns.languages, "all")));
  if (PARTS > 1) {
    const each = about.groups.per_index;
    const names = [...Array(PARTS).keys()].map((k) => [String(k + 1), `${number(k * each + 1)}–${number(Math.min((k + 1) * each, about.groups.listed))}`]);
    const pick = choice("Ranks", "part", String(part + 1), names);
    pick.querySelector("select").addEventListener("change", (event) => { location.hash = hashOf("groups", [], { part: event.target.value }); });
    fields.push(pick);
  }
  listed({
    view: "groups", noun: "group", host, fields, query, total: columns.id.length,
    select: (values) => selected(columns, search, values),
    show: (items, body) => body.append(make("ol", { class: "cards" }, ...items.map((at) => card(rowOf(columns, at))))),
    record: (at) => {
      const { flags: counts, ...row } = rowOf(columns, at);
      return { ...row, ...Object.fromEntries(about.flags.map((flag, k) => [flag, counts[k]])) };
    },
  });
};
