// Addresses within the page: `#view/part/part?name=value`. Every state that is worth sending on
// stands in the address.

/** `{view, parts, query}` of the present address. */
export const route = () => {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const parts = path.split("/").map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { view: parts[0] || "overview", parts: parts.slice(1), query: new URLSearchParams(query) };
};

/** The address of a view; values that are empty are left out. */
export const hashOf = (view, parts = [], query = {}) => {
  const set = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const tail = set.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `#${[view, ...parts].map(encodeURIComponent).join("/")}${tail ? `?${tail}` : ""}`;
};

/**
 * Puts the state into the address, without a step in the history and without drawing anew. A view
 * that was left meanwhile changes nothing.
 */
export const remember = (view, parts, query) => {
  const at = route();
  if (location.hash && (at.view !== view || at.parts.join("\n") !== parts.join("\n"))) return;
  const hash = hashOf(view, parts, query);
  if (hash !== location.hash) history.replaceState(null, "", hash);
};
