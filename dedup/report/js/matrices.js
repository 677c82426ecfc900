// Charts of the whole dump: time line, similarity, and who has what from whom.
import { byId, inside, make, table, user } from "./dom.js";
import { chunk } from "./chunks.js";
import { chart } from "./charts.js";
import { hashOf } from "./route.js";
import { number, plural } from "./words.js";

const FLAGS = { syndicated: "syndicated", partial: "partial", duplicate: "duplicate", rest: "bar" };
const KINDS = { prose: "prose", quote: "quote-line", boilerplate: "bar" };
const INK = { fill: "accent", ink: "ink", paper: "card" };

/** The time line of the first screen. */
export const showTimeline = async () => {
  const host = byId("timeline-host");
  const { timeline } = await chunk("charts");
  if (!host || timeline.rows.length === 0) return;
  const copies = timeline.rows.filter((r) => ["syndicated", "partial", "duplicate"].includes(r.flag));
  const notes = [
    timeline.undated ? `${plural(timeline.undated, "article")} without an exact time` : "",
    timeline.outside ? `${number(timeline.outside)} long before or after all others` : "",
  ].filter(Boolean);
  const figure = make("div", { class: "figure-host" });
  host.replaceChildren(make("section", { "aria-labelledby": "moved" }, make("h2", { id: "moved" }, "How it moved in time"), figure,
    notes.length ? make("p", { class: "cut" }, `Not shown: ${notes.join(", ")}.`) : null));
  await chart(figure, {
    name: "timeline", rows: timeline.rows, colours: FLAGS,
    label: `Copies by ${timeline.unit} of publication, ${plural(copies.reduce((sum, r) => sum + r.count, 0), "copy", "copies")} in all.`,
    table: () => table(`Articles by ${timeline.unit}`, [["From"], ["Flag"], ["Articles", "r"]], timeline.rows.map((r) => [r.label, r.flag, number(r.count)])),
  });
};

/** The histogram of similarities, in the view of the run. */
export const showHistogram = async () => {
  const host = byId("histogram-host");
  const { histogram } = await chunk("charts");
  if (!host) return;
  if (!histogram.length) {
    host.replaceChildren(make("p", { class: "faint" }, "There is no match."));
    return;
  }
  await chart(host, {
    name: "histogram", rows: histogram, colours: KINDS,
    label: `${plural(histogram.reduce((sum, r) => sum + r.count, 0), "match", "matches")} by similarity and kind.`,
    table: () => table("Matches by similarity", [["From", "r"], ["To", "r"], ["Kind"], ["Matches", "r"]], histogram.map((r) => [r.start.toFixed(3), r.end.toFixed(3), r.kind, number(r.count)])),
  });
};

const matrix = async (host, { heading, intro, data, rows, columns, link }) => {
  const figure = make("div", { class: "scroll figure-host", tabindex: 0, role: "region", "aria-label": `${heading}: chart` });
  const left = [data.more_rows ? `${number(data.more_rows)} more in rows` : "", data.more_columns ? `${number(data.more_columns)} more in columns` : ""].filter(Boolean);
  host.append(make("section", {}, make("h2", {}, heading), make("p", { class: "intro" }, intro),
    data.rows.length ? figure : make("p", { class: "faint" }, "There is none."),
    left.length ? make("p", { class: "cut" }, `Shown are the most frequent names; ${left.join(", ")}.`) : null));
  if (!data.rows.length) return;
  await chart(figure, {
    name: "matrix", rows: data.rows, colours: INK,
    label: `${heading}: ${plural(data.rows.length, "pair")} of names; the table below has the numbers and links.`,
    pick: (datum) => { if (datum.row) location.hash = link(datum); },
    table: () => table(heading, [[rows], [columns], ["Articles", "r"]], [...data.rows].sort((x, y) => y.count - x.count).map((cell) => [user(cell.row), user(cell.column), inside(link(cell), number(cell.count))])),
  });
};

/** Draws the view `#outlets`. */
export const showOutlets = async (host) => {
  const { sources, outlets } = await chunk("charts");
  host.replaceChildren();
  await matrix(host, {
    heading: "Who has its text from which source",
    intro: "How many articles of the outlet on the left are, in part or in whole, text of the source above. A cell leads to their groups.",
    data: sources, rows: "outlet", columns: "source",
    link: (cell) => hashOf("groups", [], { outlet: cell.row, source: cell.column }),
  });
  await matrix(host, {
    heading: "Who copies whom",
    intro: "How many articles of the outlet on the left share narrative with an earlier one of the outlet above. Both may have it from an agency; earlier means by the times that the articles state.",
    data: outlets, rows: "the later", columns: "the earlier",
    link: (cell) => hashOf("groups", [], { outlet: cell.row, q: cell.column }),
  });
};
