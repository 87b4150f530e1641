// Elements are made here and nowhere from text: what stands in the results stays text.

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

/** An HTML element; children are nodes, or strings that become text. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A picture for the eye only, since the text beside it says the same. */
function picture(attributes, ...children) {
  return drawn("svg", { "aria-hidden": "true", ...attributes }, ...children);
}

/** A row of a table from texts and elements; the first heads the row. */
function row([head, ...cells], attributes = {}) {
  const others = cells.map((cell) => element("td", {}, cell));
  return element("tr", attributes, element("th", { scope: "row" }, head), ...others);
}

/** Terms with their descriptions, those without one left out. */
function terms(pairs) {
  const known = pairs.filter(([, description]) => description);
  return known.map(([term, description]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, description)),
  );
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
