// Who is compared: names, and how each is drawn. Colour, shape and filling say the same thrice.

const MARKERS = [ // by device, around (0, 0)
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
  "M-3.5 -3.5h7v7h-7z",
  "M0 -4.5l4.5 8h-9z",
  "M0 -5l5 5l-5 5l-5 -5z",
];

const isOurs = (candidate) => candidate.library === "isograd";

/** The devices of the candidates, each once. */
const devicesOf = (candidates) => [...new Set(candidates.map(({ device }) => device))];

/** The classes by which the style sheet colours a candidate; all but the best mode are dashed. */
function look(candidate) {
  const libraries = ["isograd", "numpy", "torch", "jax", "thinc", "sklearn"];
  const library = libraries.includes(candidate.library) ? candidate.library : "other";
  const isFull = isOurs(candidate) || candidate.mode === "best";
  return `candidate ${library} ${isFull ? "full" : "hollow"}`;
}

/** A candidate's mark, centred at (x, y); a pointer resting on it reads the text. */
function marker(results, candidate, x, y, text) {
  const shape = MARKERS[devicesOf(results.candidates).indexOf(candidate.device) % MARKERS.length];
  const attributes = { d: shape, class: look(candidate), transform: `translate(${x} ${y})` };
  return drawn("path", attributes, drawn("title", {}, text));
}

/** A candidate's mark and name, for a legend. */
function named(results, candidate, more = "") {
  const line = drawn("path", { d: "M1 7h24", class: `line ${look(candidate)}` });
  const mark = marker(results, candidate, 13, 7, candidate.name);
  const swatch = picture({ width: 26, height: 14 }, line, mark);
  return element("span", { class: "named" }, swatch, ` ${candidate.name}`, more);
}
