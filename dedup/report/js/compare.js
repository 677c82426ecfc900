// Two texts side by side, what they share in matching colours.
import { make, say } from "./dom.js";
import { about } from "./chunks.js";
import { runsOf, shareOf, spansOf } from "./spans.js";
import { percent } from "./words.js";

const COLOURS = 6;
const [PROSE, QUOTE, FURNITURE] = about.kinds.map((_, k) => k);
const WORDS = { prose: "narrative in matching colours", quote: "quoted words", boilerplate: "site furniture" };

const numberButton = (span, side) => {
  const kind = about.kinds[span.kind];
  const similar = span.similarity === null ? "" : `, similarity ${Math.round(100 * span.similarity)} %`;
  return make("button", {
    type: "button",
    class: "n",
    "data-n": span.n,
    title: `${kind}${similar}`,
    "aria-label": `Shared ${kind} ${span.n + 1}${similar}: go to it on the ${side === "l" ? "right" : "left"}`,
  }, String(span.n + 1));
};

const painted = (text, spans, side, evidence, counted) => {
  const box = make("div", { class: "words", dir: "auto" });
  for (const { from, to, span, evidence: claims, begins } of runsOf(text, spans, side, evidence)) {
    for (const fresh of begins) box.append(numberButton(fresh, side));
    const piece = text.slice(from, to);
    let node = piece;
    if (span) {
      const kind = about.kinds[span.kind];
      const look = kind === "prose" && !span.ground ? `c${span.n % COLOURS}` : kind;
      node = make("mark", { class: `m ${look}${counted.has(span.kind) ? "" : " ignored"}`, "data-n": span.n }, piece);
    }
    box.append(claims ? make("span", { class: "claim", title: "evidence for the source" }, node) : node);
  }
  return box;
};

/**
 * The comparison of two of several articles.
 * @param {Element} host
 * @param {{articles: Array<{n: number, label: string, title: string, text: string, cut: number,
 *     evidence: Array<[number, number]>}>, matches: Array, occurrences: Array,
 *   pair: [number, number], quotes: boolean, furniture: boolean,
 *   changed: (state: {l: number, r: number, quotes: boolean, furniture: boolean}) => void}} about_
 *   `articles` that can be chosen, numbered as the matches number them
 * @returns {{choose: (l: number, r: number) => void, step: (by: number) => void}}
 */
export const comparison = (host, { articles, matches, occurrences, pair, quotes, furniture, changed }) => {
  const state = { l: pair[0], r: pair[1], quotes, furniture };
  const sides = {};
  const picks = make("div", { class: "picks" });
  const both = make("div", { class: "pair" });
  const key = make("p", { class: "key" });
  let spans = [];
  let at = -1;

  for (const side of ["l", "r"]) {
    const select = make("select", { change: () => { state[side] = Number(select.value); draw(); } },
      ...articles.map((a) => make("option", { value: a.n, dir: "auto" }, a.label)));
    const share = make("output", { class: "share" });
    const box = make("div", { class: "side", tabindex: 0, role: "region" });
    sides[side] = { select, box, share };
    both.append(box);
    picks.append(make("div", { class: "pick" }, make("label", {}, side === "l" ? "Left article" : "Right article", select), share));
    if (side === "l") picks.append(make("button", { type: "button", click: () => { [state.l, state.r] = [state.r, state.l]; draw(); } }, "⇄ Swap"));
  }
  const toggle = (name, text) => make("label", { class: "check" },
    make("input", { type: "checkbox", name, checked: state[name], change: (event) => { state[name] = event.target.checked; draw(true); } }), text);
  const checks = make("div", { class: "checks" }, make("span", {}, "Count as shared:"), make("span", {}, "narrative"),
    toggle("quotes", "quotes"), toggle("furniture", "site furniture"));

  const show = (n, focus) => {
    at = n;
    for (const node of both.querySelectorAll(".on")) node.classList.remove("on");
    for (const node of both.querySelectorAll(`.m[data-n="${n}"]`)) node.classList.add("on");
    for (const side of ["l", "r"]) {
      const { box } = sides[side];
      const target = box.querySelector(`button.n[data-n="${n}"], .m[data-n="${n}"]`);
      if (!target) continue;
      const offset = target.getBoundingClientRect().top - box.getBoundingClientRect().top;
      box.scrollTo({ top: box.scrollTop + offset - box.clientHeight / 3 });
      if (focus === side && target.tagName === "BUTTON") target.focus({ preventScroll: true });
    }
  };

  for (const [side, other] of [["l", "r"], ["r", "l"]]) {
    sides[side].box.addEventListener("click", (event) => {
      const hit = event.target.closest("[data-n]");
      // Moving the focus is for the keyboard and the number; a click into the text only shows.
      if (hit) show(Number(hit.dataset.n), hit.tagName === "BUTTON" ? other : "");
    });
  }

  const draw = (keep = false) => {
    spans = spansOf(matches, occurrences, state.l, state.r);
    const counted = new Set([PROSE, ...(state.quotes ? [QUOTE] : []), ...(state.furniture ? [FURNITURE] : [])]);
    for (const side of ["l", "r"]) {
      const { select, box, share } = sides[side];
      const article = articles.find((a) => a.n === state[side]);
      select.value = String(state[side]);
      box.setAttribute("aria-label", `Text of ${article.label}`);
      const top = box.scrollTop;
      box.replaceChildren(
        make("p", { class: "heading", dir: "auto" }, article.title || article.label),
        painted(article.text, spans, side, article.evidence, counted));
      if (article.cut) box.append(make("p", { class: "cut" }, "The text goes on; it is cut here."));
      box.scrollTop = keep ? top : 0;
      const shared = state.l === state.r ? 0 : shareOf(article.text, spans, side, counted);
      share.textContent = `${percent(shared)} of ${article.cut ? "what is shown" : "it"} is shared`;
    }
    if (!keep) {
      at = -1;
      // What is shared may begin far down.
      for (const side of ["l", "r"]) {
        const { box } = sides[side];
        const first = box.querySelector('button.n[data-n="0"]');
        const depth = first ? first.getBoundingClientRect().top - box.getBoundingClientRect().top : 0;
        if (depth > box.clientHeight * 0.7) box.scrollTop = depth - box.clientHeight / 3;
      }
    } else say(["l", "r"].map((side) => `${side === "l" ? "Left" : "Right"}: ${sides[side].share.textContent}`).join(". "));
    key.replaceChildren(...legend());
    changed({ ...state });
  };

  const legend = () => {
    if (!spans.length) return [make("span", {}, state.l === state.r
      ? "The same article on both sides: choose two."
      : "These two share no passage directly.")];
    const nodes = [];
    about.kinds.forEach((kind, k) => {
      const count = spans.filter((span) => span.kind === k && !span.ground).length;
      if (count) nodes.push(make("span", {}, make("mark", { class: `m ${kind === "prose" ? "c0" : kind}` }, kind), ` ${count} × ${WORDS[kind]}`));
    });
    if (spans.some((span) => span.ground)) {
      nodes.push(make("span", {}, make("mark", { class: "m prose" }, "underlined"), " belongs to the same run of shared text"));
    }
    if (articles.some((a) => [state.l, state.r].includes(a.n) && a.evidence.length)) {
      nodes.push(make("span", {}, make("span", { class: "claim" }, "framed"), " evidence for the source"));
    }
    nodes.push(make("span", {}, "Select a number or a passage to find it on both sides."));
    return nodes;
  };

  host.replaceChildren(picks, checks, key, both);
  draw();
  return {
    choose(l, r) {
      [state.l, state.r] = [l, r];
      draw();
      host.scrollIntoView({ block: "start" });
      sides.l.select.focus({ preventScroll: true });
    },
    step(by) {
      const count = spans.filter((span) => !span.ground).length;
      if (count) show((((at < 0 && by < 0 ? 0 : at) + by) % count + count) % count, "");
    },
  };
};
