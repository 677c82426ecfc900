// The controls of a list: fields whose values stand in the address, paging, export.
import { make, say } from "./dom.js";
import { exportButtons } from "./exports.js";
import { remember } from "./route.js";
import { number, plural } from "./words.js";

export const PAGE = 50;

/** A labelled search field. */
export const searchField = (label, value, placeholder) => make("label", { class: "grow" }, label,
  make("input", { type: "search", name: "q", autocomplete: "off", value, placeholder }));

/** A labelled choice; `options` are `[value, text]`. */
export const choice = (label, name, value, options) => {
  const select = make("select", { name }, ...options.map(([v, text]) => make("option", { value: v, dir: "auto" }, text)));
  // A value that is not offered (a rare name in a link) is offered then.
  if (value && !options.some(([v]) => v === value)) select.append(make("option", { value }, value));
  select.value = value;
  return make("label", {}, label, select);
};

export const dateField = (label, name, value) => make("label", {}, label, make("input", { type: "date", name, value }));

/**
 * A list with controls: `fields` are labels with a control, `select(values)` gives the items that
 * fit, `show(items, host)` draws one page of them, `record(item)` is a row of the export.
 * @param {{view: string, noun: string, host: Element, fields: Element[], query: URLSearchParams,
 *   total: number, select: (values: Object) => Array, show: (items: Array, host: Element) => void,
 *   record: (item: *) => Object, size?: number}} list
 */
export const listed = ({ view, noun, many = `${noun}s`, host, fields, query, total, select, show, record, size = PAGE }) => {
  const inputs = fields.map((label) => label.querySelector("input, select"));
  const count = make("output", { "aria-live": "polite" });
  const body = make("div", { class: "list" });
  const pages = make("nav", { class: "pages", "aria-label": `Pages of ${many}` });
  let items = [];
  let page = Math.max(1, Number(query.get("page")) || 1);

  const values = () => Object.fromEntries(inputs.map((input) => [input.name, input.value]));

  const draw = () => {
    const last = Math.max(1, Math.ceil(items.length / size));
    page = Math.min(page, last);
    const start = (page - 1) * size;
    count.textContent = items.length === total ? plural(total, noun, many) : `${number(items.length)} of ${plural(total, noun, many)}`;
    body.replaceChildren();
    if (items.length) show(items.slice(start, start + size), body);
    else body.append(make("p", { class: "empty" }, total ? `No ${noun} fits these filters.` : `There is no ${noun}.`,
      total ? make("button", { type: "button", click: clear }, "Clear the filters") : null));
    const step = (text, to) => make("button", { type: "button", disabled: to < 1 || to > last, click: () => turn(to) }, text);
    pages.replaceChildren(...(last > 1 ? [
      step("← Previous", page - 1),
      make("span", {}, `${number(start + 1)}–${number(Math.min(start + size, items.length))} of ${number(items.length)}`),
      step("Next →", page + 1),
    ] : []));
    const set = values();
    for (const input of inputs) if (input.value === input.dataset.default) set[input.name] = "";
    remember(view, [], { ...set, page: page > 1 ? page : "" });
  };

  const turn = (to) => {
    page = to;
    draw();
    host.scrollIntoView();
    say(`Page ${page}`);
    body.querySelector("a, button, summary")?.focus({ preventScroll: true });
  };

  const refresh = () => {
    items = select(values());
    draw();
  };

  const clear = () => {
    for (const input of inputs) input.value = input.dataset.default || "";
    page = 1;
    refresh();
    inputs[0]?.focus();
  };

  for (const input of inputs) {
    input.dataset.default = input.name === "sort" ? input.options[0].value : "";
    input.addEventListener("input", () => { page = 1; refresh(); });
  }
  host.replaceChildren(
    make("form", { class: "controls", role: "search", "aria-label": `${many[0].toUpperCase()}${many.slice(1)}`, submit: (event) => event.preventDefault() },
      ...fields, count, exportButtons(view, () => items.map(record))),
    body, pages);
  refresh();
};
