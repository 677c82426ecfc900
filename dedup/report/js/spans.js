// What two texts share: pure functions over matches and passages.
import { unitsOf, weightOf } from "./words.js";

/**
 * @typedef {{l: [number, number], r: [number, number], similarity: number|null, kind: number,
 *   n?: number, ground?: boolean}} Span  ends in characters of the left and right text
 */

/**
 * The spans that the articles `left` and `right` share, numbered from the top of the left one.
 * @param {Array<[number, number, number, number, number, number, number, number]>} matches
 *   `[a, b, a_start, a_end, b_start, b_end, similarity, kind]`
 * @param {Array<[number, Array<[number, number, number]>]>} occurrences passages, as `[kind,
 *   [[article, start, end]]]`
 * @returns {Span[]}
 */
export const spansOf = (matches, occurrences, left, right) => {
  const spans = [];
  if (left === right) return spans;
  for (const [a, b, as, ae, bs, be, similarity, kind] of matches) {
    if (a === left && b === right) spans.push({ l: [as, ae], r: [bs, be], similarity, kind });
    else if (a === right && b === left) spans.push({ l: [bs, be], r: [as, ae], similarity, kind });
  }
  const passages = [];
  for (const [kind, spots] of occurrences) {
    const l = spots.filter((s) => s[0] === left);
    const r = spots.filter((s) => s[0] === right);
    for (let i = 0; i < Math.min(l.length, r.length); i++) {
      passages.push({ l: [l[i][1], l[i][2]], r: [r[i][1], r[i][2]], similarity: null, kind });
    }
  }
  // Within a story of many copies not every pair was aligned: then the passages say it. They
  // also divide a match that runs over many of them, whose place would else be hard to find.
  const within = (p, m) => ["l", "r"].every((s) => m[s][0] <= p[s][0] && p[s][1] <= m[s][1]);
  if (!spans.length) spans.push(...passages);
  else {
    for (const match of [...spans]) {
      const parts = passages.filter((p) => p.kind === match.kind && within(p, match));
      if (parts.length < 2) continue;
      match.ground = true;
      spans.push(...parts.map((part) => ({ ...part, similarity: match.similarity })));
    }
  }
  // A ground comes before what it holds, and takes its number after all the others.
  spans.sort((x, y) => x.l[0] - y.l[0] || y.l[1] - x.l[1] || x.r[0] - y.r[0]);
  const numbered = spans.filter((span) => !span.ground);
  numbered.forEach((span, index) => { span.n = index; });
  spans.filter((span) => span.ground).forEach((span, index) => { span.n = numbered.length + index; });
  return spans;
};

/**
 * Share of a text's letters and digits that stand in spans of the given kinds.
 * @param {string} text
 * @param {Span[]} spans
 * @param {"l"|"r"} side
 * @param {Set<number>} kinds
 */
export const shareOf = (text, spans, side, kinds) => {
  const unit = unitsOf(text);
  const ranges = spans.filter((s) => kinds.has(s.kind)).map((s) => s[side].map(unit)).sort((x, y) => x[0] - y[0]);
  let covered = 0;
  let end = 0;
  for (const [from, to] of ranges) {
    if (to > end) covered += weightOf(text.slice(Math.max(from, end), to));
    end = Math.max(end, to);
  }
  return covered / Math.max(1, weightOf(text));
};

/**
 * A text as runs: `{from, to, span, evidence, begins}`, `span` the one on top (the last that began)
 * and `begins` those that begin here. Offsets are UTF-16 units.
 * @param {string} text
 * @param {Span[]} spans
 * @param {"l"|"r"} side
 * @param {Array<[number, number]>} evidence ranges in characters
 */
export const runsOf = (text, spans, side, evidence) => {
  const unit = unitsOf(text);
  const own = spans
    .map((span) => ({ span, start: unit(span[side][0]), end: unit(span[side][1]) }))
    .filter((s) => s.end > s.start);
  const claims = evidence.map(([from, to]) => [unit(from), unit(to)]).filter(([from, to]) => to > from);
  const cuts = [...new Set([0, text.length, ...own.flatMap((s) => [s.start, s.end]), ...claims.flat()])];
  cuts.sort((x, y) => x - y);
  const begins = new Map();
  for (const s of own) begins.set(s.start, [...(begins.get(s.start) || []), s]);
  const runs = [];
  let open = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i], cuts[i + 1]];
    const fresh = begins.get(from) || [];
    open = open.filter((s) => s.end > from).concat(fresh);
    runs.push({
      from,
      to,
      span: open.length ? open[open.length - 1].span : null,
      evidence: claims.some(([start, end]) => start <= from && to <= end),
      begins: fresh.map((s) => s.span).filter((span) => !span.ground),
    });
  }
  return runs;
};
