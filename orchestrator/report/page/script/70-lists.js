// What is told in words: MLPerf verdicts, what gave no figure, and where everything comes from.
function mlperfSection() {
  const told = rows.filter((row) => row.mlperf);
  if (!told.length) return null;
  return section("mlperf", "MLPerf LoadGen", "The same containers driven by MLCommons' own load generator, with its verdict.",
    plainTable("MLPerf results", ["case", "scenario", "verdict", "metric", num("value"), "reasons"], told.map((row) => [row.name, ...mlperfRows(row)])));
}

function gapsSection() {
  const failed = rows.filter((row) => row.failed);
  if (!failed.length && !data.skips.length) return null;
  const parts = [];
  if (failed.length) {
    const reasons = (row) => row.failure ?? [...new Set((row.tries ?? []).map((one) => one.reason).filter(Boolean))].join("; ") ?? "";
    parts.push(el("h3", {}, "Failed"), plainTable("Failed launches", ["case", num("failed launches"), "reason"], failed.map((row) => [row.name, `${row.failed} of ${row.launches + row.failed}`, reasons(row) || "a reason is in the results folder"])));
  }
  if (data.skips.length) {
    parts.push(el("h3", { style: "margin-top:1.6rem" }, "Skipped"), plainTable("Skipped cases", ["reason", num("cases"), "which"], data.skips.map((skip) => [skip.reason, String(skip.cases.length), caseNames(skip.cases)])));
  }
  return section("gaps", "Skipped and failed", "Nothing disappears: what was planned and gave no figure is here with its reason.", parts);
}
function caseNames(names) {
  if (names.length <= 6) return names.join(", ");
  return el("details", {}, el("summary", {}, `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`), names.slice(3).join(", "));
}

function originSection() {
  const parts = data.runs.map(runOrigin);
  if (data.citation) parts.unshift(...citation());
  if (data.artifacts.length) {
    parts.push(el("details", { class: "fold" }, el("summary", {}, counted(data.artifacts.length, "model file")),
      plainTable("Model files", ["model", "variant", num("batch"), "format", "weights", num("size"), "SHA-256"], data.artifacts.map((one) => [one.model, one.variant, String(one.batch), one.format, one.weights ?? UNKNOWN, mebibytes(one.bytes), el("code", {}, one.sha256)]))));
  }
  parts.push(el("details", { class: "fold", open: true }, el("summary", {}, "What the words mean"), el("p", { class: "lead" }, data.legend), data.lines.map((line) => el("p", { class: "small soft" }, line))));
  return section("origin", "Origin", "Everything needed to judge these figures, and to get them again.", parts);
}
function citation() {
  const { text, bibtex, reason } = data.citation;
  const heading = el("h3", {}, "Cite as");
  if (reason) return [heading, el("p", { class: "lead" }, reason)];
  return [heading, el("p", { class: "cite" }, text), el("pre", { class: "command" }, bibtex),
    el("p", { class: "small soft cite" }, "Who measured is named in CITATION.cff of the results folder.")];
}
function runOrigin(run) {
  const several = data.runs.length > 1;
  const content = [
    run.command ? [el("h4", {}, "The same again"), el("pre", { class: "command" }, run.command)] : null,
    run.lines.map((line) => el("p", { class: "small" }, line)),
    el("div", { class: "split", style: "margin:1.2rem 0" },
      el("div", {}, el("h4", {}, "Run"), facts(run.facts, "narrow")),
      run.environment ? el("div", {}, el("h4", {}, "Machine"), facts(run.environment.map(([name, value]) => setting(name, value)), "narrow")) : null),
    run.settings ? el("div", { class: "split", style: "margin:1.2rem 0" }, el("div", {}, el("h4", {}, "Settings"), facts(run.settings.map(([name, value]) => setting(name, value)), "narrow")), run.images.length ? el("div", {}, el("h4", {}, "Images"), facts(run.images, "narrow")) : null) : null,
    ceilings(run),
  ];
  return el("details", { class: "fold", open: !several || data.runs.length < 4 }, el("summary", {}, run.name), el("div", {}, content.flat()));
}
function ceilings(run) {
  if (!run.ceilings.length) return null;
  return el("div", {}, el("h4", {}, "Measured limits"), plainTable("Measured limits", ["runtime", "where", num("threads"), num("peak arithmetic"), num("memory bandwidth"), "reason"], run.ceilings.map((one) => [one.runtime, one.accelerator, String(one.threads), scaled(one.flop_per_s, "FLOP/s"), scaled(one.bandwidth_bytes_per_s, "B/s"), one.reason ?? ""])));
}
// "min_duration_ns", "5000000000" -> "min duration", "5.000 s"
function setting(name, value) {
  if (name.endsWith("_ns")) return [name.slice(0, -3).replaceAll("_", " "), value === "0" ? "none" : duration(Number(value))];
  if (name.endsWith("_bytes")) return [name.slice(0, -6).replaceAll("_", " "), mebibytes(Number(value))];
  return [name.replaceAll("_", " "), value];
}
