// How far from the limits: scaling over threads and batches, and the roofline of each machine.
function scalingSection() {
  if (!data.curves.length) return null;
  const shown = data.curves.slice(0, 30);
  return section("scaling", "Scaling", "The same case with more threads or larger batches. The marked point is the knee: beyond it, more brings little.",
    el("div", { class: "pair" }, shown.map(scalingFigure)), clipped(shown.length, data.curves.length) ? el("p", { class: "soft" }, `The first ${shown.length} of ${data.curves.length} curves are drawn.`) : null);
}
function scalingFigure(curve) {
  const points = curve.points.filter((point) => known(point.rate_hz) || known(point.p50_ns));
  const one = curve.case;
  const swept = ["threads", "batch", "accelerator"].filter((field) => known(one[field]) && distinct(field).length > 1).map((field) => `${field} ${one[field]}`);
  const name = [one.model, one.runtime, ...Object.values(one.options ?? {}), one.variant, ...swept, DEVICES.length > 1 ? `on ${one.device}` : null].filter(Boolean).join(" ");
  const rate = (point) => point.rate_hz;
  const drawable = points.filter((point) => known(point.rate_hz));
  const ideal = drawable.length && curve.kind === "threads" ? [{ x: drawable[0].x, y: rate(drawable[0]) }, { x: drawable.at(-1).x, y: (rate(drawable[0]) * drawable.at(-1).x) / drawable[0].x }] : [];
  const knee = drawable.filter((point) => point.x === curve.knee);
  return figure({
    title: `${name}, ${curve.kind}`,
    description: known(curve.knee) ? `Knee at ${curve.knee}. ${curve.reason ?? ""}` : `No knee: ${curve.reason ?? "not found"}.`,
    draw: (width) => plot({
      width,
      height: 260,
      marginLeft: 60,
      marginRight: 24,
      marginBottom: 38,
      x: { label: curve.kind, ticks: drawable.map((point) => point.x), tickFormat: "d", tickSize: 0, type: "log", base: 2, inset: 12 },
      y: { label: "inferences a second", grid: true, ticks: 5, tickSize: 0, domain: [0, d3.max(drawable, rate) * 1.15], clamp: true },
      marks: [
        Plot.line(ideal, { x: "x", y: "y", stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "3,3", clip: true }),
        Plot.lineY(drawable, { x: "x", y: rate, stroke: "var(--c0)", strokeWidth: 1.8 }),
        Plot.dot(drawable, { x: "x", y: rate, r: 4, fill: "var(--c0)", title: (point) => `${curve.kind} ${point.x}\n${number(rate(point))} /s\np50 ${duration(point.p50_ns)}` }),
        Plot.dot(knee, { x: "x", y: rate, r: 9, stroke: "var(--c1)", strokeWidth: 2 }),
        Plot.text(knee, { x: "x", y: rate, text: () => "knee", dy: -16, fill: "var(--c1)", fontWeight: 600 }),
      ],
    }),
    table: () => [[curve.kind, num("p50"), num("rate")], points.map((point) => [String(point.x), duration(point.p50_ns), known(point.rate_hz) ? `${number(point.rate_hz)} /s` : UNKNOWN])],
  });
}

// Multi-stream: what counts is the 99th percentile of a query's latency, and whether queries suffice for it.
const mostQueries = 60;
function queriesSection() {
  const asked = measured.filter((row) => row.scenario === MULTI_STREAM && !row.emulated);
  if (!asked.length) return null;
  const shown = asked.sort((one, other) => known(other.p99_ns) - known(one.p99_ns) || one.p99_ns - other.p99_ns).slice(0, mostQueries);
  return section("queries", "Queries", "Multi-stream: a query is several inputs that come at once, one inference of that batch. What counts is the 99th percentile of a query's latency.",
    plainTable("Queries", ["case", num("inputs a query"), num("p99 of a query"), num("queries"), num("p50"), "verdict"], shown.map((row) => [
      row.name, String(row.batch), because(row, "p99_ns", duration(row.p99_ns)), String(row.count), duration(row.p50_ns), badge(row.verdict)])),
    clipped(shown.length, asked.length) ? el("p", { class: "soft" }, `The first ${shown.length} of ${asked.length} cases are listed; the table above has all.`) : null);
}

function rooflineSection() {
  const held = data.runs.map((run, place) => [run, place]).filter(([run, place]) => run.ceilings.some((one) => known(one.flop_per_s) && known(one.bandwidth_bytes_per_s)) && measured.some((row) => row.run === place && known(row.roofline?.intensity_flop_per_byte) && known(row.roofline?.flop_per_s)));
  if (!held.length) return null;
  return section("roofline", "Roofline", "What each case reaches against what its container could do at most here: the slope is memory bandwidth, the roof is peak arithmetic, both measured.", held.map(([run, place]) => rooflineFigure(run, place)));
}
function rooflineFigure(run, place) {
  const cases = measured.filter((row) => row.run === place && known(row.roofline?.intensity_flop_per_byte) && known(row.roofline?.flop_per_s));
  const roofs = run.ceilings.filter((one) => known(one.flop_per_s) && known(one.bandwidth_bytes_per_s));
  const intensity = (row) => row.roofline.intensity_flop_per_byte;
  const low = Math.min(d3.min(cases, intensity), d3.min(roofs, (one) => one.flop_per_s / one.bandwidth_bytes_per_s)) / 3;
  const high = Math.max(d3.max(cases, intensity), d3.max(roofs, (one) => one.flop_per_s / one.bandwidth_bytes_per_s)) * 3;
  const roofName = (one) => `${one.runtime}, ${one.accelerator}, ${counted(one.threads, "thread")}`;
  const lines = roofs.flatMap((one) => [low, one.flop_per_s / one.bandwidth_bytes_per_s, high].map((x) => ({ name: roofName(one), framework: one.runtime, x, y: Math.min(one.flop_per_s, x * one.bandwidth_bytes_per_s) / 1e9 })));
  // Highest first: their labels stand above and below their lines in turn.
  const ends = lines.filter((one) => one.x === high).sort((one, other) => other.y - one.y);
  const reached = cases.map((row) => row.roofline.flop_per_s / 1e9);
  const heights = [d3.min(reached) / 1.6, Math.max(d3.max(reached), ends[0].y) * 1.5];
  return figure({
    title: data.runs.length > 1 ? run.name : "Cases under their roof",
    description: `${counted(cases.length, "case")} under ${counted(roofs.length, "measured roof")}. Nearest to its limit: ${d3.greatest(cases, (row) => row.roofline.share ?? 0).name}, ${percent(d3.max(cases, (row) => row.roofline.share ?? 0))}.`,
    legend: FRAMEWORKS.map((name) => [name, color(name, FRAMEWORKS)]),
    draw: (width) => plot({
      width,
      height: 380,
      marginLeft: 60,
      marginRight: 24,
      marginBottom: 40,
      x: { label: "arithmetic intensity, FLOP/byte", type: "log", grid: true, domain: [low, high], ticks: logTicks(low, high, width / 60), tickSize: 0, tickFormat: tick },
      y: { label: "GFLOP/s", type: "log", grid: true, domain: heights, ticks: logTicks(...heights, 8), tickSize: 0, tickFormat: tick },
      marks: [
        Plot.line(lines, { x: "x", y: "y", z: "name", stroke: (one) => color(one.framework, FRAMEWORKS), strokeWidth: 2, strokeOpacity: 0.65, clip: true }),
        [0, 1].map((side) => Plot.text(ends.filter((_, place) => place % 2 === side), { x: "x", y: "y", text: "name", textAnchor: "end", dy: side ? 9 : -8, fill: "currentColor", stroke: "var(--surface)", strokeWidth: 4, fontSize: 11 })),
        Plot.dot(cases, { x: intensity, y: (row) => row.roofline.flop_per_s / 1e9, r: 5, fill: (row) => color(row.framework, FRAMEWORKS), stroke: "var(--surface)" }),
        Plot.tip(cases, Plot.pointer({ x: intensity, y: (row) => row.roofline.flop_per_s / 1e9, title: (row) => `${row.name}\n${scaled(row.roofline.flop_per_s, "FLOP/s")}, ${percent(row.roofline.share)} of its limit\nbound by ${row.roofline.bound}`, ...tip })),
      ],
    }),
    table: () => [["case", num("FLOP/byte"), num("reaches"), num("limit"), num("share"), "bound by"], cases.map((row) => [row.name, number(intensity(row)), scaled(row.roofline.flop_per_s, "FLOP/s"), scaled(row.roofline.limit_flop_per_s, "FLOP/s"), percent(row.roofline.share), row.roofline.bound])],
  });
}
