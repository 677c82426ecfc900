// Words and figures: offsets that count characters, what is typed, numbers, spans of time.

/**
 * Offsets count characters (code points), strings here are UTF-16: a function from the one to the
 * other. Most texts have no character outside the basic plane and need no map.
 * @param {string} text
 * @returns {(offset: number) => number}
 */
export const unitsOf = (text) => {
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

/** As what is typed and what is searched are compared. */
export const folded = (text) => text.normalize("NFKC").toLowerCase();

/** The words of a search. */
export const wordsOf = (text) => folded(text).split(/\s+/).filter(Boolean);

const LETTERS = /[\p{L}\p{N}]/gu;

/** Letters and digits of a text, as shares count them. */
export const weightOf = (text) => (text.match(LETTERS) || []).length;

const whole = new Intl.NumberFormat("en");

export const number = (value) => whole.format(value);
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** How long after `first` something was published, both ISO 8601 of any precision. */
export const later = (first, stamp) => {
  if (!first || !stamp) return "";
  // Days are compared with days only: an hour that was not stated is none.
  const exact = first.length > 10 && stamp.length > 10;
  const [a, b] = exact ? [first, stamp] : [first.slice(0, 10), stamp.slice(0, 10)];
  if (a.length < 10 || b.length < 10) return "";
  const minutes = Math.round((Date.parse(b) - Date.parse(a)) / 60000);
  if (!Number.isFinite(minutes)) return "";
  if (minutes === 0) return exact ? "same minute" : "same day";
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  if (days > 0) return `+${plural(days, "day")}${exact && hours && days < 3 ? ` ${hours} h` : ""}`;
  return `+${hours ? `${hours} h ` : ""}${minutes % 60 ? `${minutes % 60} min` : ""}`.trim();
};
