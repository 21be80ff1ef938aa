// Latency bars as in the literature: one figure a model, a bar a case, whiskers its 95 % interval.
const mostModels = 24;
function latencySection() {
  if (!measured.length) return null;
  const models = MODELS.filter((model) => measured.some((row) => row.model === model));
  const made = section("latency", "Latency", "Median time of an inference (mean over launches of each launch's median). Whiskers: 95\u00a0% interval between launches; dots: the single launches, so that modes are not hidden by a mean. Pale bars are not valid.",
    models.slice(0, mostModels).map(latencyFigure));
  if (models.length > mostModels) made.append(el("p", { class: "soft" }, `The first ${mostModels} of ${models.length} models are drawn; the table has all.`));
  return made;
}

// Cases under a device with all that tells them apart but the device, which is a facet of its own.
const barName = (row) => (DEVICES.length > 1 ? shortName(row).replace(` on ${row.device}`, "") : shortName(row));

function latencyFigure(model) {
  const all = measured.filter((row) => row.model === model).sort((one, other) => d3.ascending(one.device, other.device) || one.p50_ns - other.p50_ns);
  const shown = all.slice(0, mostBars);
  const unit = commonUnit(shown.map((row) => row.p50_ns));
  const devices = [...new Set(shown.map((row) => row.device))];
  const best = d3.least(shown.filter((row) => row.verdict === "valid"), (row) => row.p50_ns) ?? shown[0];
  return figure({
    title: model,
    description: `${counted(all.length, "case")}; ${best.verdict === "valid" ? "fastest valid" : `none is valid; first (${best.verdict})`}: ${shortName(best)}, ${duration(best.p50_ns)}.${clipped(shown.length, all.length)}`,
    legend: FRAMEWORKS.length > 1 ? FRAMEWORKS.filter((name) => shown.some((row) => row.framework === name)).map((name) => [name, color(name, FRAMEWORKS)]) : null,
    draw: (width) => el("div", {}, devices.map((device) => deviceBars(shown.filter((row) => row.device === device), devices.length > 1 ? device : null, unit, width, d3.max(shown, reach)))),
    table: () => [["case", num(`p50, ${unit.name}`), num("95 % interval"), num("p99"), "verdict"], all.map((row) => [row.name, number(row.p50_ns / unit.size), interval(row), duration(row.p99_ns), row.verdict])],
  });
}
const reach = (row) => Math.min(Math.max(row.p50_ns, row.high_ns ?? 0, d3.max(row.launch_p50_ns ?? []) ?? 0), 3 * row.p50_ns);

function deviceBars(here, device, unit, width, longest) {
  const names = here.map(barName);
  const { marginLeft, lineWidth } = labelRoom(names, width);
  const of = (ns) => ns / unit.size;
  const launches = here.flatMap((row) => (row.launch_p50_ns ?? []).map((value) => ({ name: barName(row), value: of(value) })));
  const spans = here.filter((row) => known(row.low_ns)).map((row) => ({ name: barName(row), low: Math.max(0, of(row.low_ns)), high: Math.min(of(row.high_ns), of(longest) * 1.04), mid: of(row.p50_ns) }));
  const drawn = plot({
    width,
    height: here.length * (narrow(width) ? 42 : 25) + 44,
    marginLeft,
    marginRight: 62,
    marginTop: 4,
    marginBottom: 36,
    x: { label: `p50, ${unit.name}`, grid: true, domain: [0, of(longest) * 1.04], clamp: true, ticks: width / 110, tickSize: 0 },
    y: { label: null, axis: null, domain: [...new Set(names)], padding: narrow(width) ? 0.54 : 0.28, ...(narrow(width) ? { align: 1 } : {}) },
    marks: [
      narrow(width)
        ? Plot.text(here, { y: barName, x: 0, text: barName, textAnchor: "start", dy: -17, fill: "currentColor" })
        : Plot.axisY({ tickSize: 0, lineWidth, textOverflow: "ellipsis-middle", label: null }),
      Plot.barX(here, { y: barName, x: (row) => of(row.p50_ns), fill: (row) => color(row.framework, FRAMEWORKS), fillOpacity: (row) => (row.verdict === "valid" ? 0.92 : 0.42), rx: 2, title: (row) => `${row.name}\n${duration(row.p50_ns)}  ${interval(row)}\n${row.verdict}` }),
      Plot.ruleY(spans, { y: "name", x1: "low", x2: "high", stroke: "currentColor", strokeWidth: 1.3 }),
      Plot.tickX(spans, { y: "name", x: "low", insetTop: 4, insetBottom: 4, stroke: "currentColor", strokeWidth: 1.3 }),
      Plot.tickX(spans, { y: "name", x: "high", insetTop: 4, insetBottom: 4, stroke: "currentColor", strokeWidth: 1.3 }),
      Plot.dot(launches, { y: "name", x: "value", r: 2.3, fill: "var(--surface)", stroke: "currentColor", strokeWidth: 1 }),
      Plot.text(here, { y: barName, x: of(longest) * 1.04, text: (row) => `${number(of(row.p50_ns))}`, dx: 8, textAnchor: "start", fontVariant: "tabular-nums", fontWeight: 550, fill: "currentColor" }),
      Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
    ],
  });
  return el("div", {}, device ? el("h4", {}, device) : null, drawn);
}
