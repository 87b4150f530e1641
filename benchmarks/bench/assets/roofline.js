// What was reached of the machine: measured rates against the measured copy and matmul.

const CHARACTER = 6.2; // pixels of a label's letter, roughly
const LINE = 12;
const WITHOUT_CEILING = ["ceiling", "transfer"]; // groups; a transfer leaves the device

function showRoofline(results) {
  const found = Object.keys(results.ceilings).flatMap((device) => deviceShown(results, device));
  byId("devices").append(...found);
  byId("roofline").hidden = !found.length;
}

/** The figure and the table of a device; nothing where no workload's work was counted. */
function deviceShown(results, device) {
  const lines = results.workloads
    .filter(({ group }) => !WITHOUT_CEILING.includes(group))
    .map((workload) => sharesOf(results, device, workload))
    .filter(({ shares }) => shares.length);
  if (!lines.length) return [];
  const present = results.candidates.filter((candidate) =>
    lines.some(({ shares }) => shares.some(([one]) => one === candidate)),
  );
  const legend = present.map((one) => element("li", {}, named(results, one)));
  const figure = element(
    "figure",
    {},
    element("figcaption", {}, `Roofline of ${device}`),
    ...roofline(results, device),
    element("ul", { class: "legend" }, ...legend),
  );
  return [element("div", { class: "device" }, figure, shareTable(results, device, lines))];
}

/** What was measured of a workload on a device: [[candidate, median], ...]. */
function measuredOn(results, device, workload) {
  return results.candidates
    .filter((candidate) => candidate.device === device)
    .map((candidate) => [candidate, workload.results[candidate.name]?.median])
    .filter(([, median]) => median > 0);
}

function roofline(results, device) {
  const { bytes_per_s: copy, flops_per_s: peak } = results.ceilings[device];
  const points = rooflinePoints(results, device);
  if (!copy || !peak || !points.length) return [];
  const ridge = peak / copy;
  const intensities = [ridge / 8, ridge * 4, ...points.map(({ intensity }) => intensity)];
  const plot = frame({
    xs: intensities,
    ys: [peak * 1.3, copy * Math.min(...intensities), ...points.map(({ speed }) => speed)],
    xText: String,
    yText: (speed) => round(rate(speed, "")),
    xTitle: "FLOP per byte",
    yTitle: "FLOP/s",
  });
  const marks = points.map((point) => rooflineMark(results, point, plot)).reverse(); // ours on top
  const inside = [...plot.grid, ...roof(copy, peak, plot), ...marks, ...labels(points, plot)];
  return [drawn("svg", plot.box(`Roofline of ${device}`), ...inside)];
}

/** Operations a byte go across, operations a second up. */
function rooflinePoints(results, device) {
  const counted = results.workloads.filter(({ flops, bytes }) => flops && bytes);
  return counted.flatMap((workload) =>
    measuredOn(results, device, workload).map(([candidate, median]) => ({
      workload,
      candidate,
      intensity: workload.flops / workload.bytes,
      speed: workload.flops / median,
    })),
  );
}

function rooflineMark(results, { workload, candidate, intensity, speed }, plot) {
  const text = `${workload.name}, ${candidate.name}: ${rate(speed, "FLOP/s")}`;
  return marker(results, candidate, plot.x(intensity), plot.y(speed), text);
}

function roof(copy, peak, plot) {
  const [first, ridge, last] = [Math.min(...plot.xs), peak / copy, Math.max(...plot.xs)];
  const corners = [[first, first * copy], [ridge, peak], [last, peak]];
  const d = `M${corners.map(([x, y]) => [plot.x(x), plot.y(y)]).join("L")}`;
  const [x, y] = [plot.x(first), plot.y(first * copy)];
  const slant = (Math.atan2(plot.y(peak) - y, plot.x(ridge) - x) * 180) / Math.PI;
  const along = `translate(${x} ${y}) rotate(${slant})`;
  const [left, top] = [plot.x(last) - 4, plot.y(peak) - 6];
  return [
    drawn("path", { d, class: "roof" }),
    drawn("text", { x: left, y: top, class: "y axis" }, `matmul ${rate(peak, "FLOP/s")}`),
    drawn("text", { x: 8, y: -6, transform: along, class: "axis" }, `copy ${rate(copy, "B/s")}`),
  ];
}

/** Each workload's name below its lowest point, unless it would cover another name. */
function labels(points, plot) {
  const taken = [];
  const found = [];
  for (const [workload, some] of Map.groupBy(points, (point) => point.workload)) {
    const width = CHARACTER * workload.name.length;
    const right = Math.min(plot.x(some[0].intensity) + width / 2, PLOT.width - PLOT.right);
    const y = Math.max(...some.map(({ speed }) => plot.y(speed))) + LINE + 4;
    const label = { left: right - width, right, y };
    if (y > PLOT.height - PLOT.bottom || taken.some((other) => isOver(label, other))) continue;
    taken.push(label);
    found.push(drawn("text", { x: right, y, class: "y label" }, workload.name));
  }
  return found;
}

const isOver = (a, b) => Math.abs(a.y - b.y) < LINE && a.left < b.right && b.left < a.right;

/** Of the ceiling that bounds each workload, how much was reached. */
function shareTable(results, device, lines) {
  const parts = lines.flatMap(({ shares }) => shares.map(([, part]) => part));
  const axis = logAxis([0.1, 1, ...parts], [1]);
  const heads = ["workload", "bound by", "isograd", "of it"].map((text) =>
    element("th", { scope: "col" }, text),
  );
  const scale = element("th", { scope: "col", class: "scale" }, shareLabels(axis));
  return element(
    "table",
    { class: "share" },
    element("caption", {}, `Share of the ceiling, ${device}`),
    element("thead", {}, element("tr", {}, ...heads, scale)),
    element("tbody", {}, ...lines.map((line) => shareRow(results, line, axis))),
  );
}

/** The time that the ceilings allow over the measured one, for each candidate. */
function sharesOf(results, device, workload) {
  const { bytes_per_s: copy, flops_per_s: peak } = results.ceilings[device];
  const moving = workload.bytes && copy ? workload.bytes / copy : 0;
  const computing = workload.flops && peak ? workload.flops / peak : 0;
  const least = Math.max(moving, computing);
  const bound = moving > computing ? "copy" : "matmul";
  const measured = least ? measuredOn(results, device, workload) : [];
  return { workload, bound, shares: measured.map(([one, median]) => [one, least / median]) };
}

function shareRow(results, { workload, bound, shares }, axis) {
  const [ours, part] = shares.find(([candidate]) => isOurs(candidate)) ?? [null, null];
  const median = ours && workload.results[ours.name].median;
  const isCopy = bound === "copy";
  const reached = ours && (isCopy ? workload.bytes : workload.flops) / median;
  const marks = shares.map(([candidate, share]) => laneMark(results, candidate, share, axis));
  const grid = axis.ticks.map((tick) => upright(axis.place(tick), tick === 1 ? "one" : "grid"));
  return row([
    workload.name,
    bound,
    ours ? rate(reached, isCopy ? "B/s" : "FLOP/s") : "–",
    ours ? percent(part) : "–",
    picture({ class: "lane", height: 18 }, ...grid, ...marks.reverse()),
  ]);
}

/** A nested picture, since only its place may be given in parts of the width. */
function laneMark(results, candidate, part, axis) {
  const mark = marker(results, candidate, 0, 0, `${candidate.name}: ${percent(part)}`);
  return drawn("svg", { x: share(axis.place(part)), y: 9, overflow: "visible" }, mark);
}

function shareLabels(axis) {
  const texts = axis.ticks.map((tick) =>
    drawn("text", { x: share(axis.place(tick)), y: 13, class: "tick" }, `${100 * tick} %`),
  );
  return picture({ height: 18 }, ...texts);
}
