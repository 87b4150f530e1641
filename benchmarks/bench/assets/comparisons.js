// From results to rows: one of isograd's devices beside one other candidate, in one workload.

const OUTCOMES = ["faster", "within noise", "slower", "not measured"];

/** All rows; `isFirst` marks those that a person looks at first: the fastest other library. */
function comparisons(results) {
  const rows = [];
  for (const workload of results.workloads)
    for (const ours of results.candidates.filter(isOurs))
      if (workload.results[ours.name]) rows.push(...rowsOf(results, workload, ours));
  return rows;
}

function rowsOf(results, workload, ours) {
  const mine = workload.results[ours.name];
  if (mine.status !== "ok") return [failedRow(workload, ours, null, mine)];
  const rows = results.candidates.flatMap((other) => {
    const ratio = workload.ratios.find((r) => r.ours === ours.name && r.other === other.name);
    const failed = workload.results[other.name]?.reason;
    if (ratio) return [measuredRow(workload, ours, other, ratio)];
    const isShown = failed && other.device === ours.device;
    return isShown ? [failedRow(workload, ours, other, workload.results[other.name])] : [];
  });
  const first = firstOf(rows) ?? { workload, ours, other: null, ratio: null, outcome: "" };
  if (!rows.includes(first)) rows.unshift(first);
  for (const each of rows) each.isFirst = each === first || (each.ratio && isOurs(each.other));
  return rows;
}

function measuredRow(workload, ours, other, ratio) {
  const outcome = ratio.within_noise ? "within noise" : ratio.ratio < 1 ? "faster" : "slower";
  return { workload, ours, other, ratio, outcome };
}

function failedRow(workload, ours, other, { status, reason }) {
  const says = reason ? `${status}: ${reason}` : status;
  return { workload, ours, other, ratio: null, outcome: "not measured", says, isFirst: !other };
}

/** Against the fastest library but NumPy, which has no gradients; else NumPy; else none. */
function firstOf(rows) {
  const measured = rows.filter((row) => row.ratio && !isOurs(row.other));
  const peers = measured.filter((row) => row.other.library !== "numpy");
  const among = peers.length ? peers : measured;
  return among.sort((a, b) => medianOf(a, a.other) - medianOf(b, b.other))[0];
}

/** Seconds or bytes; null where there is none. */
function medianOf(row, candidate) {
  return row.workload.results[candidate?.name]?.median ?? null;
}

/** How often each outcome came, and the median of the ratios. */
function tally(rows) {
  const ratios = rows.map((row) => row.ratio.ratio).sort((a, b) => a - b);
  const counts = OUTCOMES.slice(0, 3).map((outcome) => [
    outcome,
    rows.filter((row) => row.outcome === outcome).length,
  ]);
  const half = (ratios.length - 1) / 2;
  const middle = (ratios[Math.floor(half)] + ratios[Math.ceil(half)]) / 2;
  return { counts, middle, lowest: ratios[0], highest: ratios.at(-1) };
}
