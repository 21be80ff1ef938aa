// The table of all cases: sorting, filters, and rows that open.
const sources = [...new Map(rows.flatMap((row) => row.energy ?? []).map((one) => [one.source, one])).values()];
const scopeCount = d3.rollup(sources, (group) => group.length, (one) => one.scope);
const sourceName = (one) => (scopeCount.get(one.scope) === 1 ? one.scope : `${one.scope} ${one.source}`);
const energyOf = (row, source) => (row.energy ?? []).find((one) => one.source === source);
const anyKnown = (field) => rows.some((row) => known(row[field]));
const verdictRank = (row) => VERDICTS.indexOf(row.verdict);

// title, value to sort by, text, field whose reason stands where it is unknown
const columns = [
  { title: "case", left: true, value: (row) => row.name },
  { title: "verdict", left: true, value: verdictRank, node: (row) => badge(row.verdict) },
  distinct("scenario").length > 1 && { title: "scenario", left: true, value: (row) => row.scenario, node: (row) => row.scenario },
  { title: "p50", value: (row) => row.p50_ns, text: (row) => duration(row.p50_ns), field: "p50_ns" },
  { title: "95 % interval", value: (row) => (known(row.low_ns) ? (row.high_ns - row.low_ns) / row.p50_ns : null), text: interval, field: "low_ns", hint: "sorted by relative width" },
  { title: "launches", left: true, value: (row) => row.between_launch_cv, node: spark, hint: "each launch's median; sorted by their spread" },
  { title: "p99", value: (row) => row.p99_ns, text: (row) => duration(row.p99_ns), field: "p99_ns" },
  anyKnown("accuracy") && { title: "accuracy", value: accuracy, text: (row) => percent(accuracy(row)), field: "accuracy" },
  ...sources.map((one) => ({ title: `energy, ${sourceName(one)}`, value: (row) => energyOf(row, one.source)?.gross_j, text: (row) => joules(energyOf(row, one.source)?.gross_j) })),
  anyKnown("artifact_bytes") && { title: "size", value: (row) => row.artifact_bytes, text: (row) => mebibytes(row.artifact_bytes), field: "artifact_bytes" },
  { title: "p90", value: (row) => row.p90_ns, text: (row) => duration(row.p90_ns), field: "p90_ns" },
  { title: "rate", value: (row) => row.rate_hz, text: (row) => (known(row.rate_hz) ? `${number(row.rate_hz)} /s` : UNKNOWN), field: "rate_hz" },
  anyKnown("container_peak_bytes") && { title: "container peak", value: (row) => row.container_peak_bytes, text: (row) => mebibytes(row.container_peak_bytes), field: "container_peak_bytes" },
  anyKnown("vm_hwm_bytes") && { title: "process peak", value: (row) => row.vm_hwm_bytes, text: (row) => mebibytes(row.vm_hwm_bytes), field: "vm_hwm_bytes" },
  { title: "first", value: (row) => row.first_ns, text: (row) => duration(row.first_ns), field: "first_ns" },
  { title: "load", value: (row) => row.load_ns, text: (row) => duration(row.load_ns), field: "load_ns" },
].filter(Boolean);

// Launch medians on a line around their mean, ±20 % wide at least.
function spark(row) {
  const medians = row.launch_p50_ns ?? [];
  if (medians.length < 2) return el("span", { class: "none" }, counted(row.launches, "launch", "launches"));
  const centre = row.p50_ns;
  const reach = Math.max(0.2, d3.max(medians, (value) => Math.abs(value / centre - 1)));
  const dots = medians.map((value) => el("circle", { cx: (32 + (28 * (value / centre - 1)) / reach).toFixed(1), cy: 7, r: 2.6 }));
  const spread = known(row.between_launch_cv) ? `${counted(medians.length, "launch", "launches")}, CV ${percent(row.between_launch_cv)}` : "";
  return el("span", { title: spread }, el("svg", { class: "spark", viewBox: "0 0 64 14", "aria-hidden": "true" }, el("line", { x1: 2, x2: 62, y1: 7, y2: 7 }), dots), el("span", { class: "hidden" }, spread));
}

// A table of up to 200 cases is made whole; of a longer one the rest when asked for: the page opens at once.
const FIRST_ROWS = rows.length > 200 ? 50 : 200;
const view = { lines: [], sort: null, descending: false, limit: FIRST_ROWS };

function casesTable() {
  const body = el("tbody");
  const heads = columns.map((column, place) => el("th", { scope: "col", class: column.left ? "left" : false }, el("button", { type: "button", title: column.hint ?? false, onclick: () => sortBy(place) }, column.title)));
  view.body = body;
  view.heads = heads;
  view.lines = rows.map((row, place) => ({ row, place, main: null, button: null, more: null, words: words(row) }));
  view.count = el("p", { "aria-live": "polite", id: "row-count" });
  const table = el("table", { class: "cases" }, el("caption", {}, caption()), el("thead", {}, el("tr", {}, heads)), body);
  view.rest = el("p", { class: "rest no-print" });
  const board = el("div", { class: `board${rows.length > 60 ? " long" : ""}`, tabindex: 0, role: "region", "aria-label": "All cases" }, table);
  const made = section("cases", "Cases", "Every case that was tried. A column's heading sorts; a row opens to its findings, figures and origin.",
    filters(), el("div", { class: "count-line" }, view.count), board, view.rest);
  sortBy(columns.findIndex((column) => column.title === "p50"));
  return made;
}

const FIXED = [...(anyKnown("scenario") ? [["scenario", (row) => row.scenario]] : []), ["device", (row) => row.device], ["engine", (row) => row.engine], ["variant", (row) => row.variant], ["threads", (row) => row.threads], ["batch", (row) => row.batch], ["weights", (row) => row.weights]];
function caption() {
  const same = FIXED.map(([name, of]) => [name, new Set(rows.map((row) => of(row) ?? UNKNOWN))]).filter(([, values]) => values.size === 1);
  return same.length ? `All cases: ${same.map(([name, values]) => `${name} ${[...values][0]}`).join(", ")}.` : "";
}

// Makes a case's row of the table, once.
function build(one) {
  if (one.main) return one;
  const { row, place } = one;
  const button = el("button", { type: "button", class: "open-row", "aria-expanded": "false", "aria-controls": `more-${place}` }, row.name);
  const cells = columns.slice(1).map((column) => cell(column, row));
  const main = el("tr", { class: "case" }, el("th", { scope: "row" }, button), cells);
  main.addEventListener("click", (event) => {
    if (event.target === button || !String(getSelection())) toggle(one);
  });
  return Object.assign(one, { main, button });
}
function cell(column, row) {
  if (column.node) return el("td", { class: column.left ? "left" : false }, column.node(row));
  const said = column.text(row);
  const reason = said === UNKNOWN && known(row.why?.[column.field]) ? text(row.why[column.field]) : null;
  const failed = column.field === "p50_ns" && row.verdict === "failed" ? row.failure ?? "no launch succeeded" : null;
  const at = said.lastIndexOf(" ");
  if (said === UNKNOWN) return el("td", { class: "none", title: reason ?? failed }, failed ? "failed" : UNKNOWN);
  return el("td", { title: row.emulated ? "under emulation: says nothing about the board" : false }, row.emulated ? `(${said})` : [said.slice(0, at + 1) || said, at > 0 ? el("span", { class: "unit" }, said.slice(at + 1)) : null]);
}
const words = (row) => [row.id, row.name, row.verdict, row.failure, row.weights, ...(row.findings ?? []).map(([code]) => code), ...(row.notes ?? []).map((note) => note.code)].filter(Boolean).join(" ").toLowerCase();

function sortBy(place) {
  view.descending = view.sort === place ? !view.descending : false;
  view.sort = place;
  view.heads.forEach((head, other) => (other === place ? head.setAttribute("aria-sort", view.descending ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
  const of = columns[place].value;
  const direction = view.descending ? -1 : 1;
  view.lines.sort((one, other) => {
    const [left, right] = [of(one.row), of(other.row)];
    if (!known(left) || !known(right)) return known(right) - known(left) || one.place - other.place; // the unknown last, either way
    return direction * d3.ascending(left, right) || one.place - other.place;
  });
  refilter();
}

const chosen = { words: "", model: "", runtime: "", variant: "", device: "", scenario: "", verdict: "" };
function filters() {
  const search = el("input", { type: "search", "aria-label": "text", placeholder: "name, finding, reason", autocomplete: "off", spellcheck: "false", oninput: (event) => choose("words", event.target.value) });
  view.search = search;
  const picks = ["model", "runtime", "variant", "device", "scenario", "verdict"].filter((field) => distinct(field).length > 1).map((field) => {
    const values = field === "verdict" ? VERDICTS.filter((word) => rows.some((row) => row.verdict === word)) : distinct(field);
    const [label, select] = pick(field, [["", "all"], ...values.map((value) => [value, value])], (value) => choose(field, value));
    view[`pick-${field}`] = select;
    return label;
  });
  const clear = el("button", { type: "button", class: "quiet", onclick: clearFilters }, "Clear");
  return el("div", { class: "picks", role: "search", "aria-label": "Filter the cases" }, el("label", { class: "pick search" }, "text", search), picks, clear);
}
function choose(field, value) {
  chosen[field] = value;
  refilter();
}
function clearFilters() {
  for (const field of Object.keys(chosen)) chosen[field] = "";
  view.search.value = "";
  for (const [name, select] of Object.entries(view)) if (name.startsWith("pick-")) select.value = "";
  refilter();
}
function refilter() {
  const wanted = chosen.words.toLowerCase().split(/\s+/).filter(Boolean);
  const fields = Object.keys(chosen).filter((field) => field !== "words" && chosen[field]);
  view.held = view.lines.filter((one) => wanted.every((word) => one.words.includes(word)) && fields.every((field) => one.row[field] === chosen[field]));
  const shown = view.held.slice(0, view.limit).map(build);
  view.body.replaceChildren(...shown.flatMap((one) => (one.more ? [one.main, one.more] : [one.main])));
  const count = view.held.length;
  view.count.textContent = count === rows.length ? counted(count, "case") : `${count} of ${counted(rows.length, "case")}`;
  view.rest.replaceChildren(...(shown.length < count ? [`The first ${shown.length} are shown. `, el("button", { type: "button", class: "link", onclick: showAll }, `Show all ${count}`)] : []));
}
function showAll() {
  view.limit = Infinity;
  refilter();
}
function filterBy(word) {
  clearFilters();
  view.search.value = word;
  choose("words", word);
  document.getElementById("cases").scrollIntoView();
  view.search.focus({ preventScroll: true });
}

const isOpen = (one) => one.button?.getAttribute("aria-expanded") === "true";
function toggle(one, open = !isOpen(one)) {
  one.button.setAttribute("aria-expanded", String(open));
  one.main.classList.toggle("open", open);
  if (open && !one.more) {
    one.more = el("tr", { class: "more", id: `more-${one.place}` }, el("td", { colspan: columns.length }, details(one.row)));
    one.main.after(one.more);
  }
  if (one.more) one.more.hidden = !open;
}
function reveal(row) {
  clearFilters();
  const one = build(view.lines.find((line) => line.row === row));
  if (!one.main.isConnected) showAll();
  toggle(one, true);
  one.main.scrollIntoView({ block: "start" });
  one.button.focus({ preventScroll: true });
}
