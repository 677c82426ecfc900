"use strict";
// Shows two texts of a group side by side and filters the lists. Every text of others is set
// with `textContent`; nothing is ever parsed as HTML.
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const COLOURS = 6;
  const FIRST = { passage: 25, group: 50 };  // of a list, until all are asked for or searched

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // Offsets count characters (code points); strings here are UTF-16. Most texts have no
  // character outside the basic plane and need no map.
  const unitsOf = (text) => {
    if (!/[\ud800-\udbff]/.test(text)) return (offset) => Math.min(offset, text.length);
    const at = [];
    let unit = 0;
    for (const character of text) {
      at.push(unit);
      unit += character.length;
    }
    at.push(unit);
    return (offset) => at[Math.min(offset, at.length - 1)];
  };

  // --- what two articles share ---------------------------------------------------------------

  const spansOf = (group, left, right) => {
    const spans = [];
    if (left === right) return spans;
    for (const [a, b, as, ae, bs, be, similarity, kind] of group.matches) {
      if (a === left && b === right) spans.push({ l: [as, ae], r: [bs, be], similarity, kind });
      else if (a === right && b === left) spans.push({ l: [bs, be], r: [as, ae], similarity, kind });
    }
    const passages = [];
    for (const [kind, spots] of group.passages) {
      const l = spots.filter((s) => s[0] === left);
      const r = spots.filter((s) => s[0] === right);
      for (let i = 0; i < Math.min(l.length, r.length); i++) {
        passages.push({ l: [l[i][1], l[i][2]], r: [r[i][1], r[i][2]], similarity: null, kind });
      }
    }
    // Within a story of many copies not every pair was aligned: then the passages say it. They
    // also divide a match that runs over many of them, whose place would else be hard to find.
    const inside = (p, m) => ["l", "r"].every((s) => m[s][0] <= p[s][0] && p[s][1] <= m[s][1]);
    if (!spans.length) spans.push(...passages);
    else {
      for (const match of [...spans]) {
        const parts = passages.filter((p) => p.kind === match.kind && inside(p, match));
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

  // A text as runs of plain and marked pieces. Where spans overlap, the one that began last is
  // shown, and an earlier one goes on after it.
  const paint = (box, text, spans, side) => {
    const unit = unitsOf(text);
    const own = spans
      .map((span) => ({ span, start: unit(span[side][0]), end: unit(span[side][1]) }))
      .filter((s) => s.end > s.start);
    const cuts = [...new Set([0, text.length, ...own.flatMap((s) => [s.start, s.end])])];
    cuts.sort((x, y) => x - y);
    const begins = new Map();
    for (const s of own) begins.set(s.start, [...(begins.get(s.start) || []), s]);
    let open = [];
    for (let i = 0; i < cuts.length; i++) {
      const [from, to] = [cuts[i], cuts[i + 1]];
      open = open.filter((s) => s.end > from).concat(begins.get(from) || []);
      for (const s of begins.get(from) || []) if (!s.span.ground) box.append(numberButton(s.span, side));
      if (to === undefined) break;
      const piece = text.slice(from, to);
      if (!open.length) {
        box.append(piece);
        continue;
      }
      const { span } = open[open.length - 1];
      const kind = data.kinds[span.kind];
      const mark = make("mark", `m ${kind === "prose" && !span.ground ? `c${span.n % COLOURS}` : kind}`, piece);
      mark.dataset.n = span.n;
      box.append(mark);
    }
  };

  const numberButton = (span, side) => {
    const button = make("button", "n", String(span.n + 1));
    const kind = data.kinds[span.kind];
    const similar = span.similarity === null ? "" : `, similarity ${Math.round(100 * span.similarity)} %`;
    button.type = "button";
    button.dataset.n = span.n;
    button.title = `${kind}${similar}`;
    button.setAttribute(
      "aria-label",
      `Shared ${kind} ${span.n + 1}${similar}: go to it on the ${side === "l" ? "right" : "left"}`,
    );
    return button;
  };

  // --- one comparison ------------------------------------------------------------------------

  let serial = 0;

  const comparison = (group, host) => {
    const name = `cmp${serial++}`;
    const sides = {};
    const picks = make("div", "picks");
    const pair = make("div", "pair");
    const key = make("p", "key");
    const state = { l: group.pair[0], r: group.pair[1] };

    for (const side of ["l", "r"]) {
      const label = make("label", "", side === "l" ? "Left article" : "Right article");
      const select = make("select");
      select.id = `${name}-${side}`;
      for (const choice of group.choices) {
        const option = make("option", "", choice.label);
        option.value = choice.n;
        option.dir = "auto";
        select.append(option);
      }
      select.addEventListener("change", () => { state[side] = Number(select.value); draw(); });
      label.append(select);
      const box = make("div", "side");
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      sides[side] = { select, box };
      pair.append(box);
      picks.append(label);
      if (side === "l") {
        const swap = make("button", "", "⇄ Swap");
        swap.type = "button";
        swap.addEventListener("click", () => { [state.l, state.r] = [state.r, state.l]; draw(); });
        picks.append(swap);
      }
    }

    const show = (side, n, focus) => {
      for (const node of pair.querySelectorAll(".on")) node.classList.remove("on");
      for (const node of pair.querySelectorAll(`.m[data-n="${n}"]`)) node.classList.add("on");
      const { box } = sides[side];
      const target = box.querySelector(`button.n[data-n="${n}"], .m[data-n="${n}"]`);
      if (!target) return;
      const offset = target.getBoundingClientRect().top - box.getBoundingClientRect().top;
      box.scrollTo({ top: box.scrollTop + offset - box.clientHeight / 3 });
      if (focus && target.tagName === "BUTTON") target.focus({ preventScroll: true });
    };

    for (const [side, other] of [["l", "r"], ["r", "l"]]) {
      sides[side].box.addEventListener("click", (event) => {
        const hit = event.target.closest("[data-n]");
        // Moving the focus is for the keyboard and the number; a click into the text only shows.
        if (hit) show(other, Number(hit.dataset.n), hit.tagName === "BUTTON");
      });
    }

    const draw = () => {
      const spans = spansOf(group, state.l, state.r);
      for (const side of ["l", "r"]) {
        const { select, box } = sides[side];
        const choice = group.choices.find((c) => c.n === state[side]);
        select.value = String(state[side]);
        box.setAttribute("aria-label", `Text of ${choice.label}`);
        const heading = make("h5", "", choice.title || choice.label);
        heading.dir = "auto";
        const words = make("div", "words");
        words.dir = "auto";
        paint(words, data.texts[choice.text], spans, side);
        box.replaceChildren(heading, words);
        if (data.cut.includes(choice.text)) box.append(make("p", "cut", "The text goes on; it is cut here."));
        box.scrollTop = 0;
      }
      // What is shared may begin far down.
      for (const side of ["l", "r"]) {
        const { box } = sides[side];
        const first = box.querySelector('button.n[data-n="0"]');
        const depth = first ? first.getBoundingClientRect().top - box.getBoundingClientRect().top : 0;
        if (depth > box.clientHeight * 0.7) box.scrollTop = depth - box.clientHeight / 3;
      }
      key.replaceChildren(...legend(spans));
    };

    const legend = (spans) => {
      if (!spans.length) return [make("span", "", state.l === state.r
        ? "The same article on both sides: choose two."
        : "These two share no passage directly; both share some with others of the group.")];
      const words = { prose: "narrative in matching colours", quote: "quoted words", boilerplate: "site furniture" };
      const nodes = [];
      data.kinds.forEach((kind, number) => {
        const count = spans.filter((span) => span.kind === number && !span.ground).length;
        if (!count) return;
        const node = make("span");
        node.append(make("mark", `m ${kind === "prose" ? "c0" : kind}`, kind), ` ${count} × ${words[kind] || kind}`);
        nodes.push(node);
      });
      if (spans.some((span) => span.ground)) {
        const node = make("span");
        node.append(make("mark", "m prose", "underlined"), " belongs to the same run of shared text");
        nodes.push(node);
      }
      nodes.push(make("span", "", "Select a number or a passage to find it on the other side."));
      return nodes;
    };

    host.replaceChildren(picks, key, pair);
    draw();
    return {
      choose(l, r) {
        [state.l, state.r] = [l, r];
        draw();
        host.scrollIntoView({ block: "start" });
        sides.l.select.focus({ preventScroll: true });
      },
    };
  };

  // --- groups: opened, linked, filtered ------------------------------------------------------

  const list = byId("group-list");
  const cards = list ? [...list.children] : [];
  const opened = new Map();

  const open = (card) => {
    const group = data.groups[Number(card.dataset.index)];
    const host = card.querySelector("[data-compare]");
    if (!host || opened.has(card)) return;
    opened.set(card, comparison(group, host));
  };

  for (const card of cards) {
    card.addEventListener("toggle", () => { if (card.open) open(card); });
    card.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-left]");
      if (button) opened.get(card).choose(Number(button.dataset.left), Number(button.dataset.right));
    });
  }

  const follow = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && byId(id);
    if (!target) return;
    if (target.tagName === "DETAILS") {
      if (target.hidden) clearFilters();
      target.open = true;
      if (target.classList.contains("group")) open(target);
    }
    target.scrollIntoView();
  };

  const words = (input) => input.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
  const count = (shown, all, noun) => (shown === all ? `${all} ${noun}` : `${shown} of ${all} ${noun}`);
  const controls = ["search", "source", "flag", "sort"].map((name) => byId(`group-${name}`));
  const [search, source, flag, sort] = controls;

  // Show the first of a long list only; `places` are its items in their present order.
  const shorten = (name, places, narrowed) => {
    const button = byId(`${name}-all`);
    const cut = !narrowed && places.length > FIRST[name];
    button.hidden = !cut;
    places.forEach((node, place) => { if (cut && place >= FIRST[name]) node.hidden = true; });
  };

  const filter = () => {
    const wanted = words(search);
    let shown = 0;
    for (const card of cards) {
      const group = data.groups[Number(card.dataset.index)];
      const fits = (!source.value || group.source === source.value)
        && (!flag.value || group.flags.includes(flag.value))
        && wanted.every((word) => group.search.includes(word));
      card.hidden = !fits;
      if (fits) shown += 1;
    }
    shorten("group", [...list.children], wanted.length || source.value || flag.value);
    byId("group-count").textContent = count(shown, cards.length, "groups");
  };

  const reorder = () => {
    const of = (card) => data.groups[Number(card.dataset.index)];
    const orders = {
      rank: (a, b) => of(a).rank - of(b).rank,
      size: (a, b) => of(b).size - of(a).size || of(a).rank - of(b).rank,
      date: (a, b) => (of(a).date || "~").localeCompare(of(b).date || "~") || of(a).rank - of(b).rank,
    };
    list.append(...[...cards].sort(orders[sort.value]));
    filter();
  };

  const clearFilters = () => {
    search.value = source.value = flag.value = "";
    FIRST.group = Infinity;
    filter();
  };

  if (cards.length) {
    search.addEventListener("input", filter);
    source.addEventListener("change", filter);
    flag.addEventListener("change", filter);
    sort.addEventListener("change", reorder);
    // A browser that goes back restores the controls, so they decide.
    reorder();
    byId("group-all").addEventListener("click", clearFilters);
  }

  const passages = byId("passage-list");
  if (passages) {
    const items = [...passages.children].map((node) => ({ node, text: node.textContent.normalize("NFKC").toLowerCase() }));
    const [input, kind] = [byId("passage-search"), byId("passage-kind")];
    const filterPassages = () => {
      const wanted = words(input);
      let shown = 0;
      for (const { node, text } of items) {
        node.hidden = !(wanted.every((word) => text.includes(word))
          && (!kind.value || node.dataset.kind === kind.value));
        if (!node.hidden) shown += 1;
      }
      shorten("passage", [...passages.children], wanted.length || kind.value);
      byId("passage-count").textContent = count(shown, items.length, "stories");
    };
    input.addEventListener("input", filterPassages);
    kind.addEventListener("change", filterPassages);
    byId("passage-all").addEventListener("click", () => {
      FIRST.passage = Infinity;
      filterPassages();
    });
    filterPassages();
  }

  addEventListener("hashchange", follow);
  follow();
})();
