// What latencies looked like inside each launch: from quantiles of the raw data, never from means.
for (const row of rows) {
  for (const one of row.tries ?? []) {
    if (one.q) one.q = Array.from(d3.cumsum(one.q));
  }
}
const launchesOf = (row) => (row.tries ?? []).filter((one) => one.q);
const withRaw = measured.filter((row) => launchesOf(row).length);

function distributionSection() {
  if (!withRaw.length) return null;
  const models = MODELS.filter((model) => withRaw.some((row) => row.model === model));
  const holder = el("div");
  const show = (model) => {
    forget(holder);
    holder.replaceChildren(stripFigure(model));
  };
  const interesting = d3.greatest(withRaw, (row) => row.between_launch_cv ?? 0);
  const [label] = pick("model", models.map((name) => [name, name]), show, interesting.model);
  show(interesting.model);
  return section("distributions", "Distributions", "Each launch is a process of its own and has a line of its own. Lines that fall into groups are speed modes: a fresh start lands in one of them.",
    models.length > 1 ? el("div", { class: "picks" }, label) : null, holder);
}

function stripFigure(model) {
  const all = withRaw.filter((row) => row.model === model).sort((one, other) => one.p50_ns - other.p50_ns);
  const shown = all.slice(0, mostBars);
  const strips = shown.flatMap((row, place) => {
    const launches = launchesOf(row);
    return launches.map((one, turn) => {
      const at = (share) => d3.quantileSorted(one.q, share) / row.p50_ns;
      const y = place + (launches.length === 1 ? 0 : 0.56 * (turn / (launches.length - 1) - 0.5));
      return { y, row, n: one.n, low: at(0.05), q1: at(0.25), mid: at(0.5), q3: at(0.75), high: at(0.95) };
    });
  });
  const ends = d3.extent([...strips.map((one) => one.low), ...strips.map((one) => one.high)].sort(d3.ascending));
  const domain = [Math.max(ends[0], 0.4), Math.min(ends[1], 2.5)];
  const title = (one) => `${one.row.name}, launch ${one.n}\nmedian ${duration(one.mid * one.row.p50_ns)}\nmiddle half ${duration(one.q1 * one.row.p50_ns)} to ${duration(one.q3 * one.row.p50_ns)}`;
  return figure({
    title: `Launches of ${model}`,
    description: `Each launch's median (dot), middle half (thick) and 5 % to 95 % (thin) relative to its case's p50.${clipped(shown.length, all.length)}`,
    draw: (width) => {
      const { marginLeft, lineWidth } = labelRoom(shown.map(shortName), width);
      const y = (one) => one.y + (narrow(width) ? 0.14 : 0); // below the name, which stands above them there
      const line = { y, stroke: (one) => color(one.row.framework, FRAMEWORKS) };
      return plot({
        width,
        height: shown.length * (Math.max(26, 7 * d3.max(shown, (row) => launchesOf(row).length)) + (narrow(width) ? 20 : 0)) + 50,
        marginLeft,
        marginTop: 6,
        marginBottom: 38,
        x: { label: "latency relative to the case's p50", grid: true, domain, clamp: true, ticks: width / 110, tickSize: 0 },
        y: { label: null, axis: null, domain: [-0.6, shown.length - 0.4], reverse: true },
        marks: [
          narrow(width)
            ? Plot.text(d3.range(shown.length), { y: (place) => place - 0.36, frameAnchor: "left", textAnchor: "start", text: (place) => shortName(shown[place]), fill: "currentColor" })
            : Plot.axisY(d3.range(shown.length), { tickSize: 0, tickFormat: (place) => shortName(shown[place]), lineWidth, textOverflow: "ellipsis-middle", label: null }),
          Plot.ruleY(d3.range(1, shown.length).map((place) => place - 0.5), { stroke: "var(--line)" }),
          Plot.ruleX([1], { stroke: "currentColor", strokeOpacity: 0.45, strokeDasharray: "3,3" }),
          Plot.ruleY(strips, { ...line, x1: "low", x2: "high", strokeWidth: 1, strokeOpacity: 0.75 }),
          Plot.ruleY(strips, { ...line, x1: "q1", x2: "q3", strokeWidth: 3.6, strokeOpacity: 0.55, strokeLinecap: "round" }),
          Plot.dot(strips, { y, x: "mid", r: 2.6, fill: (one) => color(one.row.framework, FRAMEWORKS), stroke: "var(--surface)", strokeWidth: 0.8, title }),
        ],
      });
    },
    table: () => [["case", num("launch"), num("5 %"), num("25 %"), num("median"), num("75 %"), num("95 %")], strips.map((one) => [one.row.name, String(one.n), ...["low", "q1", "mid", "q3", "high"].map((name) => duration(one[name] * one.row.p50_ns))])],
  });
}

// Where both figures of a case look: what is beyond (3 % of the slowest launch) is told by p99.
const bulk = (launches) => [d3.min(launches, (one) => d3.quantileSorted(one.q, 0.01)), d3.max(launches, (one) => d3.quantileSorted(one.q, 0.97))];

// Density of a launch's quantiles, each of which stands for an equal share of the window.
function density(quantiles, grid) {
  const spread = Math.min(d3.deviation(quantiles) ?? 0, (d3.quantileSorted(quantiles, 0.75) - d3.quantileSorted(quantiles, 0.25)) / 1.34 || Infinity);
  const width = Math.max(0.9 * (spread || 0) * quantiles.length ** -0.2, (grid[1] - grid[0]) * 1.2);
  return grid.map((at) => d3.mean(quantiles, (value) => Math.exp(-(((at - value) / width) ** 2) / 2)) / width);
}

function shapeFigure(row, level) {
  const launches = launchesOf(row);
  const unit = commonUnit([row.p50_ns]);
  const [low, high] = bulk(launches);
  const pad = (high - low) * 0.06 || low * 0.01;
  const grid = d3.range(161).map((step) => low - pad + ((high - low + 2 * pad) * step) / 160);
  const ridges = launches.map((one) => ({ one, heights: density(one.q, grid) }));
  const tallest = d3.max(ridges, ({ heights }) => d3.max(heights)) || 1;
  const shape = ridges.flatMap(({ one, heights }, place) => grid.map((at, step) => ({ n: one.n, x: at / unit.size, base: place, top: place - (1.5 * heights[step]) / tallest })));
  const medians = launches.map((one, place) => ({ n: one.n, place, x: d3.quantileSorted(one.q, 0.5) / unit.size }));
  return figure({
    title: "Shape of each launch",
    description: `Density of ${counted(launches.length, "launch", "launches")}, first at the top; the tick is the median. ${row.modes?.length > 1 ? `${row.modes.length} speed modes (dashed).` : ""}`,
    level,
    draw: (width) => plot({
      width,
      height: Math.max(300, Math.min(42 * launches.length, 520) + 70),
      marginLeft: 62,
      marginTop: 26,
      marginBottom: 38,
      x: { label: `latency, ${unit.name}`, grid: true, ticks: width / 100, tickSize: 0, domain: [grid[0] / unit.size, grid.at(-1) / unit.size] },
      y: { label: null, domain: [-1.1, launches.length - 1 + 0.15], reverse: true },
      marks: [
        Plot.axisY(d3.range(launches.length), { tickSize: 0, label: null, tickFormat: (place) => `launch ${launches[place].n}` }),
        Plot.ruleX((row.modes ?? []).map((mode) => mode.p50_ns / unit.size), { stroke: "currentColor", strokeDasharray: "3,3", strokeOpacity: 0.5 }),
        Plot.areaY(shape, { x: "x", y1: "base", y2: "top", z: "n", fill: "var(--c0)", fillOpacity: 0.22 }),
        Plot.lineY(shape, { x: "x", y: "top", z: "n", stroke: "var(--c0)", strokeWidth: 1.3 }),
        Plot.ruleX(medians, { x: "x", y1: "place", y2: (one) => one.place - 0.32, stroke: "currentColor", strokeWidth: 2 }),
      ],
    }),
    table: () => [["launch", num("1 %"), num("25 %"), num("median"), num("75 %"), num("99 %")], launches.map((one) => [String(one.n), ...[0.01, 0.25, 0.5, 0.75, 0.99].map((share) => duration(d3.quantileSorted(one.q, share)))])],
  });
}

function ecdfFigure(row, level) {
  const launches = launchesOf(row);
  const unit = commonUnit([row.p50_ns]);
  const points = launches.flatMap((one) => one.q.map((value, place) => ({ n: one.n, x: value / unit.size, y: (100 * (place + 0.5)) / one.q.length })));
  const [low, high] = bulk(launches).map((value) => value / unit.size);
  const shades = d3.scaleOrdinal(launches.map((one) => one.n), d3.range(8).map((place) => `var(--c${place})`));
  return figure({
    title: "Share of iterations that were as fast",
    description: "One line a launch (empirical distribution). Steep is steady; lines apart from each other are different launches at different speeds.",
    level,
    legend: launches.length <= 8 ? launches.map((one) => [`launch ${one.n}`, shades(one.n), "line"]) : null,
    draw: (width) => plot({
      width,
      height: 300,
      marginLeft: 46,
      marginBottom: 38,
      x: { label: `latency, ${unit.name}`, grid: true, ticks: width / 100, tickSize: 0, domain: [low, high] },
      y: { label: "% of iterations", grid: true, ticks: 5, tickSize: 0, domain: [0, 100] },
      marks: [Plot.lineY(points, { x: "x", y: "y", z: "n", stroke: (one) => shades(one.n), strokeWidth: 1.5, curve: "step-after", clip: true }), Plot.ruleY([50], { stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "3,3" })],
    }),
    table: () => [["launch", num("10 %"), num("50 %"), num("90 %"), num("95 %")], launches.map((one) => [String(one.n), ...[0.1, 0.5, 0.9, 0.95].map((share) => duration(d3.quantileSorted(one.q, share)))])],
  });
}
