// Data, elements and words. Text from data enters the page as text nodes and attribute values only.
const data = JSON.parse(document.getElementById("inferometer-data").textContent);
const rows = data.rows;
const text = (number) => data.texts[number];
const UNKNOWN = "–";
const MIB = 2 ** 20;

// An element; a child is a node, a text, or null. Attributes: "on..." are listeners, false is left out.
function el(tag, attributes = {}, ...children) {
  const svg = ["svg", "circle", "line", "path"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined) continue;
    made.append(typeof child === "object" ? child : document.createTextNode(child));
  }
  return made;
}

// The words of report/cells.py: four significant digits without an exponent, at most three decimals.
function decimals(value) {
  return value === 0 ? 0 : Math.min(3, Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value)))));
}
const number = (value) => value.toFixed(decimals(value));

function timeUnit(ns) {
  if (ns < 1e6) return { name: "us", size: 1e3 };
  return ns < 1e10 ? { name: "ms", size: 1e6 } : { name: "s", size: 1e9 };
}
// One unit for several times, as cells.time_unit chooses it.
const commonUnit = (values) => timeUnit(d3.min(values.filter((value) => value > 0)) ?? 1e6);
const JOULES = [["J", 1], ["mJ", 1e-3], ["uJ", 1e-6]];
function energyUnit(values) {
  const least = d3.min(values.filter(known).map(Math.abs)) ?? 1e-3;
  const [name, size] = JOULES.find(([, unit]) => least >= unit) ?? JOULES[2];
  return { name, size };
}
const known = (value) => value !== undefined && value !== null;
const duration = (ns) => (known(ns) ? `${number(ns / timeUnit(ns).size)} ${timeUnit(ns).name}` : UNKNOWN);
const joules = (value) => (known(value) ? `${number(value / energyUnit([value]).size)} ${energyUnit([value]).name}` : UNKNOWN);
const mebibytes = (bytes) => (known(bytes) ? `${number(bytes / MIB)} MiB` : UNKNOWN);
const percent = (share, digits = 1) => (known(share) ? `${(100 * share).toFixed(digits)} %` : UNKNOWN);
function scaled(value, unit) {
  if (!known(value)) return UNKNOWN;
  const [size, prefix] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [0, ""]].find(([least]) => value >= least);
  return `${number(value / (size || 1))} ${prefix}${unit}`;
}
function interval(row) {
  if (!known(row.low_ns)) return UNKNOWN;
  const unit = timeUnit(row.p50_ns);
  const places = decimals(row.p50_ns / unit.size);
  return `${(row.low_ns / unit.size).toFixed(places)}–${(row.high_ns / unit.size).toFixed(places)} ${unit.name}`;
}
const accuracy = (row) => (row.accuracy ? row.accuracy[0] / row.accuracy[1] : null);
const counted = (count, word, more = `${word}s`) => `${count} ${count === 1 ? word : more}`;

// A case's name without its model, for figures of one model.
const shortName = (row) => (row.name.startsWith(`${row.model} `) ? row.name.slice(row.model.length + 1) : row.name);

// How inputs came, where a run says other than one at a time: a row has it from its run.
const scenarios = data.runs.map((run) => Object.fromEntries(run.facts).scenario ?? null);
if (scenarios.some((name) => name && name !== "single-stream")) rows.forEach((row) => (row.scenario = scenarios[row.run] ?? "batches as given"));
const MULTI_STREAM = "multi-stream";

const measured = rows.filter((row) => known(row.p50_ns));
const distinct = (field) => [...new Set(rows.map((row) => row[field]))].sort(d3.ascending);
const FRAMEWORKS = distinct("framework");
const DEVICES = distinct("device");
const MODELS = distinct("model");
const color = (name, names) => `var(--c${Math.max(0, names.indexOf(name)) % 8})`;

// Signs beside words, so that a verdict never rests on colour.
const SIGNS = {
  valid: "M2 7.5 5.5 11 12 3.5",
  suspect: "M7 2v6.5M7 11.4v.6",
  invalid: "M3 3l8 8M11 3l-8 8",
  failed: "M2.5 7h9",
  skipped: "M3 4l4 3-4 3zM8 4l4 3-4 3z",
  note: "M7 6.2V12M7 2.8v.6",
};
function badge(word, label = word) {
  const sign = el("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" },
    el("path", { d: SIGNS[word] ?? SIGNS.note, fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" }));
  return el("span", { class: `badge v-${word}` }, sign, label);
}

const sections = [];
const SHORT = { close: "Close-up", tradeoff: "Accuracy", gaps: "Gaps", mlperf: "MLPerf" }; // in the navigation
// A section with its heading and an entry in the navigation; null where there is nothing to show.
function section(id, title, lead, ...content) {
  const heading = `${id}-title`;
  sections.push([id, SHORT[id] ?? title]);
  return el("section", { id, "aria-labelledby": heading }, el("h2", { id: heading }, title), lead ? el("p", { class: "lead" }, lead) : null, ...content);
}

function facts(pairs, kind = "") {
  return el("dl", { class: `facts-list ${kind}` }, pairs.filter(([, value]) => known(value) && value !== "").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function plainTable(caption, heads, body) {
  return el("div", { class: "scroll" }, el("table", { class: "plain" },
    el("caption", { class: "hidden" }, caption),
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col", class: head.num ? "num" : false }, head.title ?? head)))),
    el("tbody", {}, body.map((cells) => el("tr", {}, cells.map((cell, place) => (place === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: heads[place].num ? "num" : false }, cell))))))));
}
const num = (title) => ({ title, num: true });

function pick(label, options, onchange, value) {
  const select = el("select", { "aria-label": label, onchange: (event) => onchange(event.target.value) }, options.map(([key, name]) => el("option", { value: key }, name)));
  if (known(value)) select.value = value;
  return [el("label", { class: "pick" }, label, select), select];
}
