// What opens below a row: why its verdict is what it is, every figure, and where it comes from.
function details(row) {
  const why = [block("Findings", findingsOf(row)), notesOf(row), triesOf(row), modesFacts(row), provenanceOf(row)];
  const what = [block("Figures", facts(figuresOf(row))), energyFacts(row), rooflineFacts(row), mlperfFacts(row)];
  return el("div", { class: "details" }, el("div", { class: "grid" }, el("div", {}, why), el("div", {}, what)), closeFigures(row, "h4"));
}
function block(title, content) {
  return content ? el("div", { class: "block" }, el("h4", {}, title), content) : null;
}

function findingsOf(row) {
  if (row.failure) return el("ul", { class: "findings" }, el("li", {}, badge("failed"), el("p", {}, row.failure)));
  if (!row.findings) return el("p", { class: "soft" }, "None: nothing speaks against these figures.");
  return el("ul", { class: "findings" }, row.findings.map(([code, severity, message, advice]) => el("li", {},
    el("div", { class: "head" }, badge(severity), el("code", {}, code)),
    el("p", {}, text(message)), text(advice) ? el("p", { class: "advice" }, text(advice)) : null)));
}

function because(row, field, value) {
  return value !== UNKNOWN || !known(row.why?.[field]) ? value : el("span", { class: "soft" }, `${UNKNOWN} ${text(row.why[field])}`);
}
function figuresOf(row) {
  if (!known(row.p50_ns)) return [["launches", `${row.launches} of ${row.launches + row.failed} succeeded`]];
  const scatter = row.scatter ?? {};
  return [
    ["p50", duration(row.p50_ns)],
    ["95 % interval", because(row, "low_ns", interval(row))],
    ["method", known(row.interval_method) ? text(row.interval_method) : null],
    ["stability", row.stability],
    ["p90", because(row, "p90_ns", duration(row.p90_ns))],
    ["scenario", row.scenario],
    [row.scenario === MULTI_STREAM ? `p99 of ${row.count} queries` : "p99", because(row, "p99_ns", duration(row.p99_ns))],
    ["p99.9", known(scatter.p999?.value_ns) ? duration(scatter.p999.value_ns) : scatter.p999?.reason],
    ["mean", duration(row.mean_ns)],
    ["CV of launches", because(row, "between_launch_cv", percent(row.between_launch_cv))],
    ["iterations", String(row.count)],
    ["first", because(row, "first_ns", duration(row.first_ns))],
    ["load", because(row, "load_ns", duration(row.load_ns))],
    ["rate", known(row.rate_hz) ? `${number(row.rate_hz)} /s` : because(row, "rate_hz", UNKNOWN)],
    ["accuracy", row.accuracy ? `${percent(accuracy(row))} (${row.accuracy[0]} of ${row.accuracy[1]})` : because(row, "accuracy", UNKNOWN)],
    ["accuracy drop", known(row.accuracy_drop_points) ? `${number(row.accuracy_drop_points)} points below nq` : null],
    ["parity", row.parity ?? because(row, "parity", UNKNOWN)],
    ["artifact", known(row.artifact_bytes) ? `${mebibytes(row.artifact_bytes)} ${row.format ?? ""}` : null],
    ["parameters", known(row.parameters) ? row.parameters.toLocaleString("en") : null],
    ["multiply-accumulates", known(row.macs) ? row.macs.toLocaleString("en") : null],
    ["container peak", because(row, "container_peak_bytes", mebibytes(row.container_peak_bytes))],
    ["process peak", because(row, "vm_hwm_bytes", mebibytes(row.vm_hwm_bytes))],
    ["highest temperatures", Object.entries(row.temperatures_c ?? {}).map(([name, value]) => `${name} ${number(value)} C`).join(", ")],
    ["mean clocks", Object.entries(row.clocks_hz ?? {}).map(([name, value]) => `${name} ${scaled(value, "Hz")}`).join(", ")],
    ["weights", row.weights],
  ];
}

function notesOf(row) {
  if (!row.notes) return null;
  return block("Explained", el("ul", { class: "findings" }, row.notes.map((note) => el("li", {},
    el("div", { class: "head" }, el("code", {}, note.code)), el("p", {}, note.text),
    el("p", { class: "advice" }, Object.entries(note.evidence).map(([name, value]) => `${name.replaceAll("_", " ")}: ${typeof value === "number" ? number(value) : value}`).join("; "))))));
}

const between = (low, high) => (known(low) && known(high) ? ` (${joules(low)} to ${joules(high)})` : "");
function energyFacts(row) {
  if (!row.energy) return null;
  return block("Energy of an inference", facts(row.energy.flatMap((one) => [
    [`${one.scope}, gross`, known(one.gross_j) ? joules(one.gross_j) + between(one.gross_low_j, one.gross_high_j) : `${UNKNOWN} ${one.reason ?? ""}`],
    [`${one.scope}, net`, known(one.net_j) ? joules(one.net_j) + between(one.net_low_j, one.net_high_j) : one.net_reason],
    ["source", `${one.source}, ${one.method}${one.calibrated ? "" : ", uncalibrated"}`],
    ["power", known(one.mean_w) ? `${number(one.mean_w)} W${known(one.idle_w) ? `, idle ${number(one.idle_w)} W` : ""}` : null],
  ])));
}

function rooflineFacts(row) {
  const line = row.roofline;
  if (!line) return null;
  return block("Against the limit of the machine", facts([
    ["reaches", scaled(line.flop_per_s, "FLOP/s")],
    ["limit", scaled(line.limit_flop_per_s, "FLOP/s")],
    ["share", known(line.share) ? percent(line.share) : null],
    ["bound by", line.bound],
    ["intensity", known(line.intensity_flop_per_byte) ? `${number(line.intensity_flop_per_byte)} FLOP/byte` : null],
    ["reason", line.reason],
  ]));
}

function modesFacts(row) {
  if (!row.modes) return null;
  return block("Speed modes", plainTable("Speed modes", ["p50", num("95 % interval"), num("launches"), num("share (95 % interval)")], row.modes.map((mode) => [
    duration(mode.p50_ns), interval(mode), String(mode.launches), `${percent(mode.share, 0)}${known(mode.share_low) ? ` (${percent(mode.share_low, 0)} to ${percent(mode.share_high, 0)})` : ""}`])));
}

function mlperfRows(row) {
  const told = row.mlperf;
  if (!told) return [];
  const value = known(told.value_ns) ? duration(told.value_ns) : known(told.value_per_s) ? `${number(told.value_per_s)} /s` : told.value ?? UNKNOWN;
  return [told.scenario, told.verdict ?? "no verdict", told.metric ?? "", value, [...(told.reasons ?? []), told.reason].filter(Boolean).join("; ")];
}
function mlperfMore(told) {
  const least_ms = told.settings?.min_duration_ms;
  return [
    ["early stopping estimate", known(told.early_stopping_ns) ? duration(told.early_stopping_ns) : null],
    ["our median of that launch", known(told.p50_ns) ? duration(told.p50_ns) : null],
    ["least duration", known(least_ms) ? `${number(least_ms / 1e3)} s; MLPerf's rules ask for 600 s` : null],
    ["LoadGen", told.version?.split(" ")[0]],
  ];
}
function mlperfFacts(row) {
  const [scenario, verdict, metric, value, reasons] = mlperfRows(row);
  return scenario ? block("MLPerf LoadGen", facts([["scenario", scenario], ["verdict", verdict], [metric || "metric", value], ["reasons", reasons], ...mlperfMore(row.mlperf)])) : null;
}

function triesOf(row) {
  if (!row.tries) return null;
  return block("Launches", plainTable("Launches", ["launch", "status", num("p50"), num("wall time"), "begun"], row.tries.map((one) => [
    String(one.n), one.status === "ok" ? "ok" : el("span", {}, badge("failed", one.status), one.reason ? ` ${one.reason}` : ""), duration(one.p50), known(one.wall_ms) ? duration(one.wall_ms * 1e6) : UNKNOWN, (one.started ?? "").replace("T", " ").replace("+00:00", " UTC")])));
}

function provenanceOf(row) {
  const run = data.runs.length > 1 ? [["run", data.runs[row.run].name]] : [];
  const told = Object.entries(row.provenance ?? {}).map(([name, values]) => [name, values.length === 1 ? values[0] : `differs between launches: ${values.join("; ")}`]);
  const coded = (value) => (/[0-9a-f]{20}/.test(value) ? el("code", {}, value) : value);
  return block("Origin", facts([["case", el("code", {}, row.id)], ...run, ...told.map(([name, value]) => [name, coded(value)]), ...(row.engine && !row.provenance ? [["engine", row.engine]] : [])], "narrow"));
}
