// What is filtered, as a file.
import { make } from "./dom.js";

// What a spreadsheet takes for a formula at the start of a cell, as the tables escape it.
const FORMULA = /^('*[=+\-@\t\r\n＝＋－＠])/;

const cell = (value) => {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = Array.isArray(value) ? value.join("; ") : String(value);
  const safe = text.replace(FORMULA, "'$1");
  return /[",\n\r]/.test(safe) || safe === "" ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** @param {Array<Object<string, *>>} rows records with the same keys */
export const csvOf = (rows) => {
  const names = Object.keys(rows[0] || {});
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((line) => line.map(cell).join(",")).join("\r\n");
};

const save = (name, type, text) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};

/** Buttons that save what `rows()` gives as CSV and JSON. */
export const exportButtons = (name, rows) => make("span", { class: "exports" },
  make("button", { type: "button", click: () => save(`${name}.csv`, "text/csv", `\ufeff${csvOf(rows())}\r\n`) }, "CSV"),
  make("button", { type: "button", click: () => save(`${name}.json`, "application/json", JSON.stringify(rows(), null, 1)) }, "JSON"));
