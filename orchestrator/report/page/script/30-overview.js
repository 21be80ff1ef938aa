// What came of the run, before anything else.
function overview() {
  const one = data.runs.length === 1 ? data.runs[0] : null;
  const parts = [
    el("h1", { id: "overview-title" }, data.title),
    el("p", { class: "facts" }, one ? machineLine(one) : `A comparison of ${data.runs.length} runs.`),
    tiles(),
    shareBar(),
    ...data.runs.flatMap((run) => run.findings.map((finding) => warning(run, finding))),
    data.weights ? el("p", { class: "warn" }, data.weights) : null,
    ...data.left_out.map((line) => el("p", { class: "warn" }, line)),
    el("div", { class: "split" }, fastest(), commonFindings()),
  ];
  sections.push(["overview", "Overview"]);
  return el("section", { id: "overview", "aria-labelledby": "overview-title" }, parts);
}

function machineLine(run) {
  const told = Object.fromEntries(run.facts);
  return [told["cpu model"], told.os, told.kernel && `Linux ${told.kernel}`, `engine ${told.engine || "none"}`, `Inferometer ${told.suite}`, `seed ${told.seed}`, told.scenario !== "single-stream" && told.scenario, told.quick === "yes" && "quick", told.begun?.slice(0, 16).replace("T", " ") + " UTC"]
    .filter(Boolean).join(" · ");
}

function warning(run, finding) {
  const where = data.runs.length > 1 ? ` (${run.name})` : "";
  return el("p", { class: "warn" }, badge(finding.severity), ` ${finding.code}${where}: ${finding.message}. ${finding.advice}`);
}

const VERDICTS = ["valid", "suspect", "invalid", "failed", "skipped"];
const MEANING = {
  valid: "can be quoted",
  suspect: "read the findings first",
  invalid: "do not use",
  failed: "no launch succeeded",
  skipped: "not run",
};
function tiles() {
  return el("ul", { class: "tiles", "aria-label": "Cases by verdict" }, VERDICTS.map((word) => {
    const count = data.verdicts[word];
    return el("li", { class: count ? false : "zero" }, el("b", {}, String(count)), badge(word), el("div", { class: "small soft" }, MEANING[word]));
  }));
}
function shareBar() {
  const bar = el("div", { class: "share", "aria-hidden": "true" });
  for (const word of VERDICTS) {
    if (!data.verdicts[word]) continue;
    const piece = el("i", { class: `b-${word}` });
    piece.style.flex = String(data.verdicts[word]);
    bar.append(piece);
  }
  return bar;
}

const GRADES = ["valid", "suspect", "invalid"];
function fastest() {
  const body = [];
  for (const model of MODELS) {
    const here = measured.filter((row) => row.model === model && !row.emulated);
    const grade = GRADES.find((word) => here.some((row) => row.verdict === word));
    if (!grade) {
      body.push([model, el("span", { class: "soft" }, "no figure that says something about a machine"), "", ""]);
      continue;
    }
    const ranked = here.filter((row) => row.verdict === grade).sort((one, other) => one.p50_ns - other.p50_ns);
    const best = ranked[0];
    const link = el("button", { type: "button", class: "link", onclick: () => reveal(best) }, shortName(best));
    body.push([model, el("span", {}, link, grade === "valid" ? "" : " ", grade === "valid" ? null : badge(grade, `none valid: ${grade}`)), duration(best.p50_ns), interval(best)]);
  }
  const shown = body.slice(0, 12);
  const title = measured.some((row) => row.verdict === "valid") ? "Fastest valid case of each model" : "Fastest case of each model (none is valid)";
  return el("div", { class: "fastest" }, el("h3", {}, title),
    plainTable(title, ["model", "case", num("p50"), num("95 % interval")], shown),
    body.length > shown.length ? el("p", { class: "small soft" }, `${body.length - shown.length} more models in the table.`) : null,
    data.runs.map(machine));
}

// What it ran on, as far as a reader needs it to judge; the rest is under "Origin".
function machine(run) {
  const told = Object.fromEntries([...run.facts, ...(run.environment ?? [])]);
  const cores = told["cores_physical"] && `${told["cores_physical"]} physical, ${told["cores_logical"]} logical`;
  return el("div", { class: "machine" }, el("h3", {}, data.runs.length > 1 ? run.name : "Machine"), facts([
    ["device", told.device], ["board", told.board], ["processor", told["cpu model"]], ["cores", cores],
    ["memory", told.memory_bytes && mebibytes(Number(told.memory_bytes))], ["virtual", told.virtualised === "yes" ? "yes: other guests share the processor" : null],
    ["system", told.os], ["kernel", told.kernel], ...run.lines.map((line) => line.split(/: (.*)/s).slice(0, 2)),
  ], "narrow"));
}

const RANK = { invalid: 0, suspect: 1, note: 2 };
function commonFindings() {
  const found = d3.rollups(rows.flatMap((row) => row.findings ?? []), (group) => group, ([code, severity]) => `${severity} ${code}`)
    .map(([, group]) => ({ code: group[0][0], severity: group[0][1], advice: text(group[0][3]), count: group.length, example: text(group[0][2]) }))
    .sort((one, other) => RANK[one.severity] - RANK[other.severity] || other.count - one.count || d3.ascending(one.code, other.code));
  const list = (some) => el("ul", { class: "findings" }, some.map((one) => el("li", {},
    el("div", { class: "head" }, badge(one.severity), el("button", { type: "button", class: "link mono", title: "Show these cases", onclick: () => filterBy(one.code) }, one.code),
      el("span", { class: "count" }, one.count === rows.length ? "every case" : counted(one.count, "case"))),
    el("p", {}, one.advice || one.example))));
  const [grave, light] = [found.filter((one) => one.severity !== "note"), found.filter((one) => one.severity === "note")];
  const folded = light.length ? el("details", { class: "fold", open: grave.length + light.length < 7 }, el("summary", {}, counted(light.length, "note")), list(light)) : null;
  return el("div", {}, el("h3", {}, "Findings"), grave.length ? list(grave) : el("p", { class: "soft" }, "Nothing speaks against any figure."), folded);
}
