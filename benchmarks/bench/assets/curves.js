// How costs grow: time over one size for each candidate, both axes logarithmic.

const PLOT = { width: 380, height: 250, left: 58, right: 12, top: 10, bottom: 34 };

function showGrowth(results) {
  const byCurve = Map.groupBy(results.growth, ({ curve }) => curve);
  const figures = [...byCurve.values()].map((curves) => growthFigure(results, curves));
  byId("growth").querySelector(".figures").append(...figures);
  byId("growth").hidden = !figures.length;
}

function growthFigure(results, curves) {
  const { title, along } = curves[0];
  const plot = frame({
    xs: curves.flatMap(({ sizes }) => sizes),
    ys: curves.flatMap(({ medians }) => medians),
    xTicks: [...new Set(curves.flatMap(({ sizes }) => sizes))],
    xText: String,
    yText: (seconds) => round(quantity(seconds, "s")),
    xTitle: along,
  });
  const lines = curves.map((curve) => growthLine(results, curve, plot)).reverse(); // ours on top
  const rows = curves.map((curve) => element("li", {}, growthLegend(results, curve)));
  return element(
    "figure",
    {},
    element("figcaption", {}, title),
    drawn("svg", plot.box(title), ...plot.grid, expectedLine(curves[0], plot), ...lines),
    element("ul", { class: "legend" }, ...rows),
  );
}

function growthLine(results, curve, plot) {
  const candidate = results.candidates.find(({ name }) => name === curve.candidate);
  const points = curve.sizes.map((size, i) => [plot.x(size), plot.y(curve.medians[i])]);
  const marks = points.map(([x, y], i) => {
    const text = `${curve.candidate}, ${curve.along} ${curve.sizes[i]}: `;
    return marker(results, candidate, x, y, text + quantity(curve.medians[i], "s"));
  });
  const path = drawn("path", { d: `M${points.join("L")}`, class: `line ${look(candidate)}` });
  return drawn("g", {}, path, ...marks);
}

/** Through the first curve's last point, down to where it leaves the plot. */
function expectedLine({ sizes, medians, largest_expected: slope }, plot) {
  const [x, y] = [sizes.at(-1), medians.at(-1)];
  const start = Math.max(Math.min(...plot.xs), x * (Math.min(...plot.ys) / y) ** (1 / slope));
  const ends = [[start, y * (start / x) ** slope], [x, y]];
  const d = `M${ends.map(([x, y]) => [plot.x(x), plot.y(y)]).join("L")}`;
  return drawn("path", { d, class: "expected" });
}

function growthLegend(results, { candidate: name, slope, steeper, largest_expected: expected }) {
  const candidate = results.candidates.find((one) => one.name === name);
  const verdict = steeper
    ? element("strong", { class: "slower" }, `▲ slope ${short(slope)}, steeper than ${expected}`)
    : element("span", {}, `slope ${short(slope)} of ${expected}`);
  return element("span", { class: "between" }, named(results, candidate), verdict);
}

/** A plot's axes: places in pixels, the grid with its labels, and the picture's attributes. */
function frame({ xs, ys, xTicks, xText, yText, xTitle, yTitle = "" }) {
  const { width, height, left, right, top, bottom } = PLOT;
  const [across, up] = [logAxis(xs), logAxis(ys)];
  const x = (value) => left + across.place(value) * (width - left - right);
  const y = (value) => height - bottom - up.place(value) * (height - bottom - top);
  const grid = [
    ...up.ticks.flatMap((tick) => [
      drawn("path", { d: `M${left} ${y(tick)}H${width - right}`, class: "grid" }),
      drawn("text", { x: left - 6, y: y(tick) + 4, class: "y tick" }, yText(tick)),
    ]),
    ...(xTicks ?? across.ticks).flatMap((tick) => [
      drawn("path", { d: `M${x(tick)} ${top}V${height - bottom}`, class: "grid" }),
      drawn("text", { x: x(tick), y: height - bottom + 14, class: "tick" }, xText(tick)),
    ]),
    drawn("text", { x: width - right, y: height - 4, class: "y axis" }, xTitle),
    drawn("text", { x: left + 4, y: top + 10, class: "axis" }, yTitle),
  ];
  const box = (label) => ({ viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  return { xs, ys, x, y, grid, box };
}
