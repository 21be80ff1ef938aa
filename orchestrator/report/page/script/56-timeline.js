// One case closely: its launches' shapes and what the machine did meanwhile.
const UNIT_WORDS = { C: "temperature, C", MHz: "clock, MHz", W: "power, W", MiB: "memory, MiB", "MiB of the host": "memory of the whole machine, MiB", cores: "busy cores" };
// The machine's memory beside a process's would make a flat line of the latter.
const panel = (one) => (one.unit === "MiB" && one.scope === "host" ? "MiB of the host" : one.unit);
const UNIT_ORDER = Object.keys(UNIT_WORDS);

function closeSection() {
  const able = measured.filter((row) => row.tries || row.sustained);
  if (!able.length) return null;
  const holder = el("div");
  const show = (place) => {
    forget(holder);
    holder.replaceChildren(closeFigures(rows[place], "h3"));
  };
  const first = able.find((row) => row.modes?.length > 1) ?? able.find((row) => row.timeline?.sources.length && row.verdict === "valid") ?? able.find((row) => row.timeline?.sources.length) ?? able[0];
  const [label] = pick("case", able.map((row) => [String(rows.indexOf(row)), row.name]), show, String(rows.indexOf(first)));
  show(rows.indexOf(first));
  return section("close", "One case closely", "How a case's launches differ, and temperature, clock, power and memory over one of them, with the phases of its life.", el("div", { class: "picks" }, label), holder);
}

// Also what an open row shows.
function closeFigures(row, level) {
  const shapes = launchesOf(row).length ? el("div", { class: "pair" }, shapeFigure(row, level), ecdfFigure(row, level)) : null;
  return el("div", {}, shapes, shapes ? el("div", { style: "height:1.4rem" }) : null, row.timeline ? timelineFigure(row, level) : null, row.sustained ? sustainedFigure(row, level) : null);
}

function timelineFigure(row, level) {
  const line = row.timeline;
  const units = UNIT_ORDER.filter((unit) => line.sources.some((one) => panel(one) === unit));
  const last = d3.max([...line.phases.map(([, , end]) => end), ...line.sources.map((one) => one.t.at(-1))]) ?? 1;
  const first = Math.min(0, d3.min(line.sources, (one) => one.t[0]) ?? 0);
  const names = line.phases.map(([name]) => name).join(", ");
  return figure({
    title: `Telemetry of launch ${line.launch}`,
    description: `Phases: ${names}. The shaded one is the window that was measured.${line.reason ? ` No readings: ${line.reason}.` : ""}`,
    level,
    draw: (width) => el("div", {}, phaseStrip(line, first, last, width), units.map((unit) => unitPlot(line, unit, first, last, width))),
    table: () => [["source", "scope", num("readings drawn"), num("lowest"), num("highest"), "unit"], line.sources.map((one) => [one.name, one.scope, String(one.v.length), number(d3.min(one.v)), number(d3.max(one.v)), one.unit])],
  });
}
const seconds = (ms) => ms / 1000;
const bands = (line) => line.phases.map(([name, start, end]) => ({ name, start: seconds(start), end: seconds(end), measured: name === "measure" }));

function phaseStrip(line, first, last, width) {
  const room = (width - 70) / (seconds(last) - seconds(first));
  const fitting = bands(line).filter((one) => (one.end - one.start) * room > one.name.length * 6.2 + 6);
  return plot({
    width,
    height: 26,
    marginLeft: 54,
    marginRight: 16,
    marginTop: 2,
    marginBottom: 2,
    x: { axis: null, domain: [seconds(first), seconds(last)] },
    y: { axis: null },
    marks: [
      Plot.rectX(bands(line), { x1: "start", x2: "end", fill: (one) => (one.measured ? "var(--accent)" : "currentColor"), fillOpacity: (one) => (one.measured ? 0.28 : 0.09), inset: 0.5, title: (one) => `${one.name}: ${number(one.end - one.start)} s` }),
      Plot.text(fitting, { x: (one) => (one.start + one.end) / 2, text: "name", fontSize: 11, fill: "currentColor" }),
    ],
  });
}

function unitPlot(line, unit, first, last, width) {
  const here = line.sources.filter((one) => panel(one) === unit);
  const points = here.flatMap((one) => one.t.map((t, place) => ({ name: one.name, x: seconds(t), y: one.v[place] })));
  const extent = d3.extent(points, (one) => one.y);
  const lastOne = unit === UNIT_ORDER.findLast((name) => line.sources.some((one) => panel(one) === name));
  const shades = d3.scaleOrdinal(here.map((one) => one.name), d3.range(8).map((place) => `var(--c${place})`));
  const drawn = plot({
    width,
    height: lastOne ? 140 : 112,
    marginLeft: 54,
    marginRight: 16,
    marginTop: 8,
    marginBottom: lastOne ? 36 : 10,
    x: { label: lastOne ? "seconds since the runner's first phase" : null, domain: [seconds(first), seconds(last)], ticks: lastOne ? width / 90 : [], tickSize: 0 },
    y: { label: null, grid: true, ticks: 4, tickSize: 0, nice: true, domain: ["C", "MHz", "MiB of the host"].includes(unit) ? padded(extent) : [0, extent[1] || 1] },
    marks: [
      Plot.rectX(bands(line).filter((one) => one.measured), { x1: "start", x2: "end", fill: "var(--accent)", fillOpacity: 0.09 }),
      Plot.ruleX(bands(line), { x: "start", stroke: "var(--line)" }),
      Plot.lineY(points, { x: "x", y: "y", z: "name", stroke: (one) => shades(one.name), strokeWidth: 1.6 }),
      Plot.dot(points, { x: "x", y: "y", r: 1.7, fill: (one) => shades(one.name), title: (one) => `${one.name}\n${number(one.y)} ${unit.split(" ")[0]} at ${number(one.x)} s` }),
    ],
  });
  return el("div", { class: "panel" }, el("h4", {}, UNIT_WORDS[unit]), swatches(here.map((one) => [`${one.name} (${one.scope})`, shades(one.name), "line"])), drawn);
}
function padded([low, high]) {
  const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.01, 0.5);
  return [low - room, high + room];
}

function sustainedFigure(row, level) {
  const curve = row.sustained;
  const unit = commonUnit(curve.minutes.map((one) => one.p50_ns));
  const course = (field, size, label) => {
    const points = curve.minutes.filter((one) => known(one[field])).map((one) => ({ x: one.minute, y: one[field] / size }));
    if (points.length < 2) return null;
    return (width) => plot({ width, height: 130, marginLeft: 54, marginBottom: 34, x: { label: "minute", ticks: width / 90, tickSize: 0 }, y: { label, grid: true, ticks: 4, tickSize: 0, domain: padded(d3.extent(points, (one) => one.y)), nice: true }, marks: [Plot.lineY(points, { x: "x", y: "y", stroke: "var(--c0)", strokeWidth: 1.6 }), Plot.dot(points, { x: "x", y: "y", r: 2, fill: "var(--c0)" })] });
  };
  const drawn = [course("p50_ns", unit.size, `p50, ${unit.name}`), course("clock_hz", 1e6, "clock, MHz"), course("max_c", 1, "temperature, C")].filter(Boolean);
  return figure({
    title: "Sustained, minute by minute",
    description: `${known(curve.ratio) ? `The last full minute took ${number(curve.ratio)} times the first.` : `No ratio: ${curve.reason}.`} ${curve.cut ?? ""}`,
    level,
    draw: (width) => el("div", {}, drawn.map((make) => make(width))),
    table: () => [["minute", num("p50"), num("iterations"), num("clock"), num("highest temperature")], curve.minutes.map((one) => [String(one.minute), duration(one.p50_ns), String(one.iterations), scaled(one.clock_hz, "Hz"), known(one.max_c) ? `${number(one.max_c)} C` : UNKNOWN])],
  });
}
