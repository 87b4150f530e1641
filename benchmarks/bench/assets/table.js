// The comparisons: filtered, sorted, and drawn as bars on one logarithmic axis.

const ALWAYS_SHOWN = [0.5, 1, 2]; // ratios, so that small differences look small
const KEYS = {
  name: (row) => row.workload.name,
  ours: (row) => medianOf(row, row.ours),
  other: (row) => medianOf(row, row.other),
  ratio: (row) => row.ratio?.ratio ?? null,
};
const inOrder = new Intl.Collator("en", { numeric: true }); // batch-64 before batch-256

/** Fill the controls and the table; from now on they follow each other. */
function showTable(results, rows) {
  const open = new Set(); // names of workloads whose details are shown
  const sorting = { key: null, direction: 1 };
  const devices = devicesOf(results.candidates.filter(isOurs));
  const redraw = () => drawTable(results, rows, sorting, open);
  fillSelect("group", rows.map(({ workload }) => workload.group));
  fillSelect("device", devices);
  fillSelect("against", rows.flatMap(({ other }) => other?.name ?? []));
  fillSelect("outcome", rows.flatMap(({ outcome }) => outcome || []));
  const form = byId("comparisons").querySelector("form");
  form.addEventListener("input", redraw);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of byId("table").querySelectorAll("thead button"))
    button.addEventListener("click", () => {
      turn(sorting, button.dataset.key);
      redraw();
    });
  byId("table").addEventListener("click", (event) => {
    const name = event.target.closest("[data-workload]")?.dataset.workload;
    if (name === undefined) return;
    if (!open.delete(name)) open.add(name);
    redraw();
    const again = byId("table").querySelector(`[data-workload="${CSS.escape(name)}"]`);
    again.focus({ preventScroll: true });
  });
  redraw();
}

function fillSelect(id, values) {
  const options = [...new Set(values)].map((value) => element("option", { value }, value));
  byId(id).append(...options);
}

/** Upwards, downwards, then the order of the file again. */
function turn(sorting, key) {
  const wasUp = sorting.key === key && sorting.direction === 1;
  const wasDown = sorting.key === key && sorting.direction === -1;
  sorting.key = wasDown ? null : key;
  sorting.direction = wasUp ? -1 : 1;
}

function drawTable(results, rows, sorting, open) {
  const shown = sorted(rows.filter(chosen()), sorting);
  const ratios = shown.flatMap(({ ratio }) => (ratio ? [ratio.lower, ratio.upper] : []));
  const axis = logAxis([...ALWAYS_SHOWN, ...ratios]);
  byId("count").textContent = `${shown.length} of ${rows.length} comparisons`;
  byId("axis").replaceChildren(...axisLabels(axis));
  for (const button of byId("table").querySelectorAll("thead button"))
    button.parentElement.setAttribute("aria-sort", sortingOf(button.dataset.key, sorting));
  for (const body of byId("table").querySelectorAll("tbody.run")) body.remove();
  const runs = runsOf(shown).map((run) => drawRun(results, run, axis, open));
  byId("table").append(...runs);
}

/** Whether the controls leave a row in. */
function chosen() {
  const [group, device, against, outcome] = ["group", "device", "against", "outcome"].map(
    (id) => byId(id).value,
  );
  const words = byId("find").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  return (row) => {
    const text = `${row.workload.name} ${row.workload.title}`.toLowerCase();
    const isAgainst = against === "fastest" ? row.isFirst : row.other?.name === against;
    return (
      (!words.length || words.some((word) => text.includes(word))) &&
      (!group || row.workload.group === group) &&
      (!device || row.ours.device === device) &&
      (!against || isAgainst) &&
      (!outcome || row.outcome === outcome)
    );
  };
}

/** The rows in order, those without a value last. */
function sorted(rows, { key, direction }) {
  if (key === null) return rows;
  const value = KEYS[key];
  const compare = (a, b) => (key === "name" ? inOrder.compare(a, b) : a - b);
  const known = rows.filter((row) => value(row) !== null);
  known.sort((a, b) => direction * compare(value(a), value(b)));
  return [...known, ...rows.filter((row) => value(row) === null)];
}

function sortingOf(key, sorting) {
  if (sorting.key !== key) return "none";
  return sorting.direction === 1 ? "ascending" : "descending";
}

/** Neighbouring rows of one workload, which share its name. */
function runsOf(rows) {
  const runs = [];
  for (const row of rows) {
    if (runs.at(-1)?.[0].workload === row.workload) runs.at(-1).push(row);
    else runs.push([row]);
  }
  return runs;
}

function drawRun(results, run, axis, open) {
  const { workload } = run[0];
  const isOpen = open.has(workload.name);
  const button = element(
    "button",
    { type: "button", "data-workload": workload.name, "aria-expanded": isOpen },
    workload.name,
  );
  const title = element("small", {}, workload.title);
  const head = element("th", { scope: "rowgroup", rowspan: run.length }, button, title);
  const lines = run.map((row) => element("tr", { class: "line" }, ...cells(results, row, axis)));
  lines[0].prepend(head);
  if (isOpen) {
    const cell = element("td", { colspan: 5 }, details(results, workload));
    lines.push(element("tr", { class: "details" }, cell));
  }
  return element("tbody", { class: "run" }, ...lines);
}

function cells(results, row, axis) {
  const { ours, other, ratio, outcome, says } = row;
  const devices = devicesOf(results.candidates.filter(isOurs));
  const first = [
    timeCell(row, ours, devices.length > 1 ? ours.device : ""),
    timeCell(row, other, other?.name ?? ""),
  ];
  if (!ratio)
    return [...first, element("td", { colspan: 2, class: "reason" }, says ?? "nothing to compare")];
  const text = ratioText(ratio) + (ratio.within_noise ? " ≈" : "");
  const [number, spread] = text.split(/(?= \()/);
  return [
    ...first,
    element("td", { class: cssName(outcome) }, number, element("small", {}, spread)),
    element("td", { class: "bar" }, bar(ratio, outcome, axis)),
  ];
}

function timeCell(row, candidate, label) {
  const median = medianOf(row, candidate);
  const { results, unit } = row.workload;
  const text = median === null ? "" : measured(results[candidate.name], unit);
  return element("td", {}, text, element("small", {}, ` ${label}`));
}

/** From 1 to the ratio a bar, its spread a line. */
function bar({ ratio, lower, upper }, outcome, axis) {
  const places = [ratio, 1, lower, upper].map(axis.place);
  const [end, one, left, right] = places;
  const grid = axis.ticks.map((tick) => upright(axis.place(tick), tick === 1 ? "one" : "grid"));
  const width = share(Math.abs(end - one));
  const solid = { x: share(Math.min(end, one)), y: "25%", width, height: "50%" };
  const line = { x1: share(left), x2: share(right), y1: "50%", y2: "50%", class: "spread" };
  return picture(
    { class: cssName(outcome) },
    ...grid,
    drawn("rect", { ...solid, class: "solid" }),
    drawn("line", line),
    ...[left, right].map((place) => upright(place, "spread", "34%", "66%")),
  );
}

function upright(place, name, from = "0%", to = "100%") {
  return drawn("line", { x1: share(place), x2: share(place), y1: from, y2: to, class: name });
}

function axisLabels(axis) {
  const numbers = axis.ticks.map((tick) =>
    drawn("text", { x: share(axis.place(tick)), y: 32, class: "tick" }, String(tick)),
  );
  const one = axis.place(1);
  const words = [
    drawn("text", { x: share(one), y: 14, dx: -10, class: "left" }, "← isograd better"),
    drawn("text", { x: share(one), y: 14, dx: 10, class: "right" }, "worse →"),
  ];
  return [picture({ height: 36 }, ...words, ...numbers)];
}
