// Numbers as a person reads them, and places on a logarithmic axis.

const SECONDS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const BYTES = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]];
const RATES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const MARGIN = 0.04; // of an axis, on each side of what it shows
const MOST_DECADES_WITH_DIGITS = 2.5; // beyond, ticks are powers of ten alone

/** 0.00123 s is "1.23 ms". */
const quantity = (value, unit) => scaled(value, unit === "s" ? SECONDS : BYTES);

/** The median; with a "?" where other processes disturbed most of its blocks. */
function measured({ median, blocks = [], kept_disturbed: kept = 0 }, unit) {
  return quantity(median, unit) + (2 * kept > blocks.length ? " ?" : "");
}

/** 2.46e10 and "B/s" make "24.6 GB/s". */
const rate = (value, unit) => scaled(value, RATES) + unit;

/** "5.00 ms" becomes "5 ms": a tick is a round value. */
const round = (text) => text.replace(/\.00? /, " ");

const percent = (share) => `${threeDigits(100 * share)} %`;

function ratioText({ ratio, lower, upper }) {
  return `${short(ratio)} (${short(lower)}–${short(upper)})`;
}

/** Two decimals, or two digits where those would say nothing. */
const short = (value) => (value < 0.095 ? value.toPrecision(2) : threeDigits(value));

function scaled(value, units) {
  if (value === null) return "–";
  const [size, name] = units.find(([size]) => Math.abs(value) >= 0.9995 * size) ?? units.at(-1);
  return `${threeDigits(value / size)} ${name}`;
}

function threeDigits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/**
 * A logarithmic axis that shows all positive values: `place` gives the share of its length at which
 * a value lies, `ticks` the round values on it: these digits times powers of ten.
 */
function logAxis(values, digits = [1, 2, 5]) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const low = Math.min(...logs);
  const span = Math.max(Math.max(...logs) - low, 0.1);
  const place = (value) => MARGIN + ((Math.log10(value) - low) / span) * (1 - 2 * MARGIN);
  return { place, ticks: roundValues(low, low + span, digits) };
}

function roundValues(low, high, wanted) {
  const digits = high - low > MOST_DECADES_WITH_DIGITS ? [1] : wanted;
  const step = Math.ceil((high - low) / 8);
  const found = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += step)
    for (const digit of digits) found.push(Number(`${digit}e${power}`));
  return found.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}
