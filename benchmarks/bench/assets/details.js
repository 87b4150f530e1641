// All that was measured of one workload: a table that opens below its rows.

const DETAILS = ["candidate", "median", "quartiles", "blocks", "first call", "set-up", "agrees to"];

function details(results, workload) {
  const heads = DETAILS.map((name) => element("th", { scope: "col" }, name));
  const found = results.candidates.filter(({ name }) => workload.results[name]);
  const blocks = found.flatMap(({ name }) => workload.results[name].blocks ?? []);
  const axis = logAxis(blocks.length ? blocks : [1]);
  const body = found.map((candidate) => detailsOf(results, workload, candidate, axis));
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
  const scrolls = { class: "scrolls", tabindex: 0, role: "region", "aria-label": workload.name };
  return element("div", scrolls, element("p", { class: "note" }, counted(workload)), table);
}

function counted({ title, sizes, flops, bytes }) {
  const known = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  if (flops) known.push(rate(flops, "FLOP"));
  if (bytes) known.push(`${quantity(bytes, "B")} moved`);
  return known.length ? `${title}: ${known.join(", ")}` : title;
}

function detailsOf(results, workload, candidate, axis) {
  const result = workload.results[candidate.name];
  const head = named(results, candidate);
  if (result.status !== "ok") {
    const says = result.reason ? `${result.status}: ${result.reason}` : result.status;
    const cell = element("td", { colspan: DETAILS.length - 1, class: "reason" }, says);
    return element("tr", {}, element("th", { scope: "row" }, head), cell);
  }
  const { lower_quartile: lower, upper_quartile: upper } = result;
  const { unit } = workload;
  const time = (seconds) => (seconds === undefined ? "" : quantity(seconds, "s"));
  const chose = result.note ? element("small", {}, ` ${howChosen(result)}`) : "";
  return row([
    element("span", {}, head, chose),
    measured(result, unit),
    `${quantity(lower, unit)} – ${quantity(upper, unit)}`,
    strip(result, candidate, axis),
    time(result.first_call_s),
    time(result.set_up_s),
    result.largest_difference?.toPrecision(1) ?? "",
  ]);
}

/** What the mode chose, and what else it tried: "compiled, of eager 2 ms, compiled 1 ms". */
function howChosen({ note, tried = {} }) {
  const each = Object.entries(tried).map(([name, { seconds, first_call_s, failed }]) => {
    const first = name === "compiled" ? ` after ${quantity(first_call_s ?? 0, "s")}` : "";
    return failed ? `${name} (${failed})` : `${name} ${quantity(seconds, "s")}${first}`;
  });
  return each.length ? `${note}, of ${each.join(", ")}` : note;
}

/** Each block as a dot, so that two speeds of one candidate are seen. */
function strip({ blocks = [], disturbed, kept_disturbed: kept }, candidate, axis) {
  const dots = blocks
    .filter((block) => block > 0)
    .map((block) => drawn("circle", { cx: share(axis.place(block)), cy: 7, r: 2.5 }));
  const svg = picture({ class: `strip ${look(candidate)}`, height: 14 }, ...dots);
  const times = disturbed ? `${disturbed} measured again, ${kept} kept disturbed` : "";
  const count = element("small", {}, `${blocks.length}${times ? `; ${times}` : ""}`);
  return element("div", {}, svg, count);
}

const share = (part) => `${(100 * part).toFixed(2)}%`;
