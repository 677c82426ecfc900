// Elements. Every text of others arrives as a child string and is set as text; nothing is ever
// parsed as HTML.

/**
 * An element with attributes and children. `null`, `false` and `""` children are left out;
 * strings become text. An attribute that is a function listens to the event of its name.
 * @param {string} tag
 * @param {Object<string, string|number|boolean|null|undefined|Function>} attributes
 * @param {...(Node|string|null|false|undefined)} children
 */
export const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
};

export const byId = (id) => document.getElementById(id);

/** Text of others, isolated from the direction of what stands around it. */
export const user = (text, attributes = {}) => make("bdi", { dir: "auto", ...attributes }, text);

/** A flag, kind or relation as a small label. */
export const tag = (group, name, text = name) => make("span", { class: `tag ${group}-${name}` }, text);

const SVG = "http://www.w3.org/2000/svg";

/** A bar of `share` (0 to 1) of its width; what it says stands beside it in words. */
export const bar = (share, className = "fill") => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["track", 1], [className, share]]) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", name);
    rect.setAttribute("width", `${(100 * Math.max(0, Math.min(1, width))).toFixed(1)}%`);
    rect.setAttribute("height", "100%");
    rect.setAttribute("rx", "2");
    svg.append(rect);
  }
  return svg;
};

/** A bar of parts: `parts` are `[className, count]`. */
export const stack = (parts) => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bar parts");
  svg.setAttribute("aria-hidden", "true");
  const whole = parts.reduce((sum, [, count]) => sum + count, 0) || 1;
  let at = 0;
  for (const [className, count] of parts) {
    if (!count) continue;
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", className);
    rect.setAttribute("x", `${((100 * at) / whole).toFixed(2)}%`);
    rect.setAttribute("width", `${((100 * count) / whole).toFixed(2)}%`);
    rect.setAttribute("height", "100%");
    svg.append(rect);
    at += count;
  }
  return svg;
};

/** A link to another view. */
export const inside = (hash, ...children) => make("a", { href: hash }, ...children);

/** An article's title, linked where its address is one of the web. */
export const titleOf = (article) => {
  const words = user(article.title || article.ref);
  if (!article.url || !/^https?:/i.test(article.url)) return words;
  return make("a", { href: article.url, rel: "noopener noreferrer", class: "out" }, words);
};

export const whenOf = (article) => (article.stamp
  ? make("time", { datetime: article.stamp }, article.date)
  : make("span", { class: "faint" }, "date unknown"));

/**
 * A table. `columns` are `[heading, className, attributes]`, `rows` lists of cells; a cell is a
 * node, a string or a list of them. The first cell heads its row with `headed`.
 */
export const table = (caption, columns, rows, { headed = false, className = "" } = {}) => {
  const cells = (row) => row.map((cell, k) => make(
    headed && k === 0 ? "th" : "td",
    { class: columns[k][1] || null, scope: headed && k === 0 ? "row" : null },
    ...[cell].flat(),
  ));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    make("table", { class: className || null },
      make("caption", { class: "sr" }, caption),
      make("thead", {}, make("tr", {}, ...columns.map(([text, cls, more]) => make("th", { scope: "col", class: cls || null, ...more }, text)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row))))));
};

/** Says something to those who hear the page. */
export const say = (text) => { byId("status").textContent = text; };
