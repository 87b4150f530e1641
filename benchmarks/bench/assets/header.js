// What stands above and below the comparisons: the machine, the summary, failures, budgets.

const TOO_MANY_DISTURBED = 0.2; // of the blocks

function showHeader(results) {
  document.title = `isograd bench: ${results.machine.processor}, ${results.date.slice(0, 10)}`;
  byId("warnings").append(
    ...warnings(results).map((text) => element("p", { class: "warning" }, text)),
  );
  byId("facts").append(...terms(facts(results)));
  byId("more-facts").querySelector("dl").append(...terms(moreFacts(results)));
}

function facts(results) {
  const { machine, settings } = results;
  const gpus = (machine.gpus ?? []).map(describeGpu).join("; ");
  return [
    ["Date", `${results.date.replace("T", " ").slice(0, 16)} UTC`],
    ["Commit", results.commit?.replace(/^(\w{12})\w+/, "$1")],
    ["Processor", `${machine.processor}, ${machine.cores} cores`],
    ["GPU", gpus],
    ["Memory", machine.memory_bytes ? quantity(machine.memory_bytes, "B") : ""],
    ["System", machine.system],
    ["Threads", `${settings.threads} for each candidate`],
    ["Precision", settings.precision],
    ["Command", results.command && element("code", {}, results.command)],
  ];
}

function describeGpu({ name, memory_bytes, clock_mhz }) {
  const clocks = clock_mhz ? `, ${clock_mhz.join(" MHz before, ")} MHz after` : "";
  return `${name}${memory_bytes ? `, ${quantity(memory_bytes, "B")}` : ""}${clocks}`;
}

function moreFacts(results) {
  const { settings, machine } = results;
  const load = results.load_average_before;
  return [
    ...results.candidates.map((candidate) => [
      candidate.name,
      `${candidate.means}; ${listed(candidate.versions)}; ${candidate.threads} threads`,
    ]),
    ["This process", listed(results.versions ?? {})],
    ["Measurement", measurement(settings)],
    ["Thread variables", listed(machine.threads ?? {}, "=")],
    ["Load before", load === null || load === undefined ? "" : `${load} processes`],
  ];
}

function measurement({ passes, rounds, block_seconds, quick }) {
  if (!rounds) return "";
  const blocks = `${rounds} interleaved blocks of ${quantity(block_seconds, "s")}`;
  return `${quick ? "quick" : "full"}: ${passes} × ${blocks}, with new processes each time`;
}

function listed(pairs, between = " ") {
  return Object.entries(pairs).map((pair) => pair.join(between)).join(", ");
}

function warnings(results) {
  const good = results.workloads
    .flatMap((workload) => Object.values(workload.results))
    .filter(({ status, blocks }) => status === "ok" && blocks);
  const blocks = good.reduce((sum, result) => sum + result.blocks.length, 0);
  const kept = good.reduce((sum, result) => sum + (result.kept_disturbed ?? 0), 0);
  const found = [];
  if (!results.finished) found.push("Stopped before the end: this is what was done until then.");
  const late = results.workloads.filter((workload) => !Object.keys(workload.results).length);
  if (results.finished && late.length)
    found.push(`Not measured, because the time was up: ${late.map(({ name }) => name).join(", ")}.`);
  if (kept > TOO_MANY_DISTURBED * blocks)
    found.push(`Other processes disturbed ${kept} of ${blocks} blocks (? where most): this machine was too busy.`);
  return found;
}

/** A line for each of ours against the fastest, and against each other candidate. */
function showSummary(rows, candidates) {
  const lines = candidates.filter(isOurs).flatMap((ours) => {
    const mine = rows.filter((row) => row.ours === ours && row.ratio);
    const fastest = mine.filter((row) => row.isFirst && !isOurs(row.other));
    const each = candidates.map((other) => [other.name, mine.filter((row) => row.other === other)]);
    const lines = [["the fastest other library", fastest], ...each];
    return lines.filter(([, some]) => some.length).map((line) => summaryLine(ours, ...line));
  });
  byId("summary").querySelector("tbody").append(...lines);
  byId("summary").hidden = !lines.length;
}

function summaryLine(ours, against, rows) {
  const { counts, middle, lowest, highest } = tally(rows);
  const parts = counts.filter(([, n]) => n).map(([outcome, n]) => {
    const text = `${n} ${outcome === "within noise" ? "≈" : outcome}`;
    const part = element("span", { class: `part ${cssName(outcome)}` }, text);
    part.style.flexGrow = n;
    return part;
  });
  const range = element("small", {}, ` ${short(lowest)} to ${short(highest)}`);
  const ratio = element("span", {}, short(middle), range);
  return row([ours.device, against, element("div", { class: "parts" }, ...parts), ratio]);
}

const cssName = (outcome) => outcome.replace(" ", "-");

function showFailures(results) {
  const rows = results.workloads.flatMap((workload) =>
    Object.entries(workload.results)
      .filter(([, { status }]) => status !== "ok")
      .map(([name, { status, reason }]) => row([workload.name, name, status, reason ?? ""])),
  );
  byId("failures").querySelector("tbody").append(...rows);
  byId("failures").hidden = !rows.length;
}

function showBudgets(results) {
  const rows = results.workloads.flatMap(({ title, budget, results: found }) => {
    const [ours, numpy] = [found["isograd cpu"]?.median, found["numpy cpu"]?.median];
    if (!budget || !ours || !numpy) return [];
    const verdict = ours - numpy <= budget ? "kept" : "exceeded";
    const mark = element("span", { class: verdict }, verdict);
    return [row([title, quantity(ours - numpy, "s"), quantity(budget, "s"), mark])];
  });
  byId("budgets").querySelector("tbody").append(...rows);
  byId("budgets").hidden = !rows.length;
}
