// Charts by Vega, which is packed in the page and unpacked when the first chart is wanted. Its
// expressions are interpreted, since the page's policy forbids making code from text.
import { make } from "./dom.js";
import { packedText } from "./chunks.js";

let program = null;

const vega = () => {
  program ??= packedText("chunk-program-of-charts").then((source) => {
    const script = document.createElement("script");
    script.textContent = source; // allowed by its hash in the policy
    document.head.append(script);
    return globalThis.dedupCharts;
  });
  return program;
};

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const theme = () => {
  const [ink, soft, rule] = ["ink", "soft", "rule"].map(colour);
  const font = getComputedStyle(document.body).fontFamily;
  const words = { labelFont: font, titleFont: font, labelColor: soft, titleColor: soft, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400 };
  return {
    aria: false, // the figure says what the chart shows; its numbers stand in a table below it
    axis: { ...words, domainColor: rule, tickColor: rule, gridColor: rule },
    legend: { ...words, symbolType: "square" },
    text: { fill: ink, font },
    style: { cell: { stroke: rule } },
  };
};

const drawn = new Set();

/**
 * A chart in `host`, drawn again when the width or the colours change.
 * @param {Element} host
 * @param {{name: string, rows: Object[], label: string, colours?: Object<string, string>,
 *   table: () => Element, pick?: (datum: Object) => void}} chart  `name` of the specification,
 *   `colours` names of the page's colours by signal, `table` the same figures in words
 */
export const chart = (host, { name, rows, label, colours = {}, table, pick }) => {
  const plot = make("div", { class: `plot plot-${name}`, role: "img", "aria-label": label });
  const words = make("details", { class: "figures" }, make("summary", {}, "The figures as a table"));
  words.addEventListener("toggle", () => { if (words.open && words.children.length < 2) words.append(table()); });
  host.replaceChildren(make("figure", {}, plot, words));
  let view = null;

  const draw = async () => {
    const { parse, View, expressionInterpreter, specs } = await vega();
    if (!plot.isConnected) return;
    view?.finalize();
    const spec = structuredClone(specs[name]);
    const values = {};
    for (const [signal, of] of Object.entries(colours)) values[signal] = colour(of);
    for (const signal of spec.signals || []) if (signal.name in values) signal.value = values[signal.name];
    if (spec.width) spec.width = Math.max(160, plot.clientWidth);
    spec.autosize = { type: name === "matrix" ? "pad" : "fit-x", contains: "padding" };
    if (name === "timeline") {
      // A drawing of parts does not fit itself; what stands left of them is about so wide.
      spec.autosize = "pad";
      spec.width = Math.max(160, plot.clientWidth - 62);
    }
    spec.padding = 2;
    view = new View(parse(spec, theme(), { ast: true }), { expr: expressionInterpreter, renderer: "svg", container: plot });
    view.data("rows", structuredClone(rows));
    if (pick) view.addEventListener("click", (_, item) => { if (item?.datum) pick(item.datum); });
    await view.runAsync();
  };
  drawn.add({ plot, draw });
  return draw();
};

let width = innerWidth;
const again = () => {
  for (const one of [...drawn]) {
    if (!one.plot.isConnected) drawn.delete(one);
    else if (one.plot.getClientRects().length) one.draw();
  }
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
let timer = 0;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (innerWidth !== width) { width = innerWidth; again(); }
  }, 150);
});
