// Accuracy against what it costs, and the cases that nothing beats in both: the Pareto front.
function tradeoffSection() {
  const scored = measured.filter((row) => row.accuracy && !row.emulated);
  if (!scored.length) return null;
  const axes = [
    ["latency", "p50", (row) => row.p50_ns, duration],
    ["size", "artifact size", (row) => row.artifact_bytes, mebibytes],
    // Each power source is an axis of its own: joules of different scopes are never set against each other.
    ...sources.map((one) => [`energy ${one.source}`, `energy of an inference, ${sourceName(one)}, gross`, (row) => energyOf(row, one.source)?.gross_j, joules]),
  ].filter(([, , of]) => scored.some((row) => known(of(row))));
  const holder = el("div", {});
  const show = (key) => {
    forget(holder);
    const axis = axes.find(([name]) => name === key);
    holder.replaceChildren(...d3.groups(scored.filter((row) => known(axis[2](row))), (row) => row.accuracy[1]).map(([total, group]) => tradeoffFigure(axis, total, group)));
  };
  const [label] = pick("accuracy against", axes.map(([key, name]) => [key, name]), show, axes[0][0]);
  show(axes[0][0]);
  return section("tradeoff", "Accuracy and its price", "Share of right top-1 predictions on the model's labelled inputs. The line joins the cases of a device that no other case of it beats in both; only valid and suspect cases count for it. Cases scored on different numbers of inputs are drawn apart: they saw different data.",
    el("div", { class: "picks" }, label), holder);
}

// Cheapest first, each more accurate than all before it.
function front(group, of) {
  const kept = [];
  for (const row of [...group].sort((one, other) => of(one) - of(other) || accuracy(other) - accuracy(one))) {
    if (row.verdict !== "invalid" && (!kept.length || accuracy(row) > accuracy(kept.at(-1)))) kept.push(row);
  }
  return kept;
}

function tradeoffFigure([, name, of, words], total, group) {
  const models = MODELS.filter((model) => group.some((row) => row.model === model));
  const fronts = DEVICES.flatMap((device) => front(group.filter((row) => row.device === device), of).map((row) => ({ row, device })));
  const onFront = new Set(fronts.map(({ row }) => row));
  const symbols = ["circle", "square", "triangle", "diamond", "star", "cross", "wye", "times"];
  const glyphs = "●■▲◆★✚Y✖";
  const variants = distinct("variant");
  const least = d3.min(group, of);
  const time = name === "p50" ? timeUnit(least) : null;
  const unit = time ?? (words === mebibytes ? { name: "MiB", size: MIB } : energyUnit(group.map(of)));
  const wide = d3.max(group, of) > 30 * least;
  // A wide axis of times has its unit at each tick, from us to s.
  const size = wide && time ? 1 : unit.size;
  const x = (row) => of(row) / size;
  const ends = d3.extent(group, x);
  const labels = d3.groups(fronts, ({ row }) => `${row.model} ${row.variant} ${row.device}`).map(([, held]) => held[0]);
  const y = (row) => 100 * accuracy(row);
  return figure({
    title: `Accuracy against ${name}`,
    description: `${counted(group.length, "case")} scored on ${total} inputs; on the front: ${[...onFront].slice(0, 6).map((row) => row.name).join(", ")}${onFront.size > 6 ? " ..." : ""}. Hollow marks are not valid.${variants.length > 1 ? ` Shapes: ${variants.map((variant, place) => `${glyphs[place % 8]} ${variant}`).join(", ")}.` : ""}`,
    legend: [...models.map((model) => [model, color(model, MODELS), "round"])],
    draw: (width) => plot({
      width,
      height: 380,
      marginLeft: 54,
      marginRight: 24,
      marginBottom: 40,
      x: wide
        ? { label: `${name}${time ? "" : `, ${unit.name}`} (logarithmic)`, type: "log", grid: true, domain: [ends[0] / 1.4, ends[1] * 1.4], ticks: logTicks(ends[0] / 1.4, ends[1] * 1.4, width / 70), tickSize: 0, tickFormat: time ? timeTick : tick }
        : { label: `${name}, ${unit.name}`, grid: true, nice: true, ticks: width / 100, tickSize: 0, zero: true },
      y: { label: "accuracy, %", grid: true, domain: padded(d3.extent(group, y)).map((end) => Math.min(end, 100)), ticks: 6, tickSize: 0, tickFormat: tick, inset: 10 },
      symbol: { domain: variants, range: symbols },
      marks: [
        Plot.lineY(fronts, { x: ({ row }) => x(row), y: ({ row }) => y(row), z: "device", stroke: "var(--accent)", strokeWidth: 1.6, strokeDasharray: "5,4" }),
        Plot.dot(group, { x, y, symbol: "variant", r: 5.5, stroke: (row) => color(row.model, MODELS), strokeWidth: 1.8, fill: (row) => (row.verdict === "valid" ? color(row.model, MODELS) : "var(--surface)"), fillOpacity: 0.85 }),
        [0, 1].map((side) => Plot.text(labels.filter((_, place) => place % 2 === side).slice(0, narrow(width) ? 3 : 8), { x: ({ row }) => x(row), y: ({ row }) => y(row), text: ({ row }) => `${row.model} ${row.variant}`, dy: side ? -14 : 16, textAnchor: "start", dx: -6, fill: "currentColor", stroke: "var(--surface)", strokeWidth: 4, fontSize: 11 })),
        Plot.tip(group, Plot.pointer({ x, y, title: (row) => `${row.name}\n${percent(accuracy(row))}, ${words(of(row))}\n${row.verdict}`, ...tip })),
      ],
    }),
    table: () => [["case", num("accuracy"), num(name), "on the front", "verdict"], group.map((row) => [row.name, percent(accuracy(row), 2), words(of(row)), onFront.has(row) ? "yes" : "no", row.verdict])],
  });
}
