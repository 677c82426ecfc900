// Which view is shown, and the keys.
import { byId, make, say } from "./dom.js";
import { about } from "./chunks.js";
import { showGroup, stepMatch } from "./group.js";
import { showGroups } from "./groups.js";
import { showHistogram, showOutlets, showTimeline } from "./matrices.js";
import { showNearMisses, showQuotes } from "./pairs.js";
import { showPassages } from "./passages.js";
import { route } from "./route.js";
import { showSource, showSources } from "./sources.js";

const VIEWS = {
  overview: showTimeline,
  groups: showGroups,
  group: showGroup,
  passages: showPassages,
  sources: showSources,
  source: showSource,
  outlets: showOutlets,
  quotes: showQuotes,
  "near-misses": showNearMisses,
  run: showHistogram,
};
const PARENT = { group: "groups", source: "sources" };
// Places within a view that have an address of their own.
const WITHIN = { rejected: "run", settings: "run", corrections: "run" };

let turn = 0;

const show = async (moved) => {
  const at = about.single && !location.hash ? { view: "group", parts: [about.single], query: new URLSearchParams() } : route();
  const asked = WITHIN[at.view] || at.view;
  const name = byId(`view-${asked}`) ? asked : about.single ? "group" : "overview";
  if (name === "group" && about.single) at.parts = [about.single];
  const section = byId(`view-${name}`);
  const host = section.querySelector(".host");
  const mine = ++turn;
  for (const other of document.querySelectorAll(".view")) other.hidden = other !== section;
  for (const link of document.querySelectorAll("nav.top a[data-view]")) {
    if (link.dataset.view === (PARENT[name] || name)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // Each turn draws in a place of its own: one that is overtaken by the next draws in vain.
  const place = make("div", {}, make("p", { class: "faint" }, "…"));
  host?.replaceChildren(place);
  try {
    await VIEWS[name](place, at);
  } catch (error) {
    if (mine !== turn) return;
    (host || section).append(make("p", { class: "notice bad" }, `This view could not be shown: ${error.message}`));
    throw error;
  }
  if (mine !== turn || !moved) return;
  const inner = asked !== at.view && byId(at.view);
  if (inner) inner.scrollIntoView();
  else scrollTo(0, 0);
  byId("main").focus({ preventScroll: true });
  say(section.querySelector("h1")?.textContent || "");
};

let keys = true;
const go = (hash) => { location.hash = hash; };
const focusStep = (by) => {
  const items = [...document.querySelectorAll(".view:not([hidden]) .list :is(h2 a, li > div > details > summary, tbody th a, a.button)")];
  if (!items.length) return;
  const at = items.findIndex((item) => item.closest("li, tr") === document.activeElement.closest("li, tr"));
  items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + by))].focus();
};

document.addEventListener("keydown", (event) => {
  if (!keys || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const grouped = !byId("view-group").hidden;
  const actions = {
    "/": () => document.querySelector('.view:not([hidden]) input[type="search"]')?.focus(),
    j: () => (grouped ? stepMatch(1) : focusStep(1)),
    k: () => (grouped ? stepMatch(-1) : focusStep(-1)),
    "]": () => document.querySelector('.view:not([hidden]) [data-step="after"]')?.click(),
    "[": () => document.querySelector('.view:not([hidden]) [data-step="before"]')?.click(),
    g: () => about.single || go("#groups"),
    o: () => about.single || go("#overview"),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});

const hint = document.querySelector(".keys");
if (hint) {
  const button = make("button", { type: "button", click: () => { keys = !keys; button.textContent = keys ? "Turn keys off" : "Turn keys on"; } }, "Turn keys off");
  hint.append(" ", button);
}
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
addEventListener("hashchange", () => show(true));
document.documentElement.classList.add("scripted");
show(Boolean(location.hash));
