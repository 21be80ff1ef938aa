// Figures: drawn when they come into view or before printing, again when their width changes.
const figures = new Map(); // canvas -> {draw, width}
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) drawOnce(entry.target);
}, { rootMargin: "400px" });
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const held = figures.get(target);
    if (held?.width && Math.abs(held.width - target.clientWidth) > 24 && target.clientWidth > 0) redraw(target);
  }
});

function drawOnce(canvas) {
  sight.unobserve(canvas);
  if (!figures.get(canvas).width) redraw(canvas);
}
function redraw(canvas) {
  const held = figures.get(canvas);
  held.width = canvas.clientWidth || 640;
  const drawn = [held.draw(held.width)].flat().filter(Boolean);
  for (const node of drawn) {
    for (const svg of node.matches?.("svg") ? [node] : node.querySelectorAll?.("svg") ?? []) {
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", held.description);
    }
  }
  canvas.replaceChildren(...drawn);
}
function drawAll() {
  for (const canvas of figures.keys()) if (canvas.isConnected && !figures.get(canvas).width) drawOnce(canvas);
}

// A figure with a caption, a drawing and the same content as a table.
// table: () => [heads, body], made when somebody opens it.
function figure({ title, description, legend, draw, table, level = "h3" }) {
  const canvas = el("div", { class: "canvas" });
  figures.set(canvas, { draw, description: `${title}. ${description}`, width: 0 });
  const shown = el("details", { class: "data" }, el("summary", {}, "Data of this figure"));
  shown.addEventListener("toggle", () => {
    if (shown.open && shown.childElementCount === 1) shown.append(plainTable(title, ...table()));
  });
  sight.observe(canvas);
  widths.observe(canvas);
  return el("figure", {}, el("figcaption", {}, el(level, {}, title), el("p", {}, description)), legend ? swatches(legend) : null, canvas, table ? shown : null);
}

// [[name, colour, kind]]; kind: "", "round" or "line".
function swatches(entries) {
  const list = el("ul", { class: "legend" }, entries.map(([name, , kind]) => el("li", { class: kind || false }, name)));
  entries.forEach(([, shade], place) => list.children[place].style.setProperty("--swatch", shade));
  return list;
}

// Forget a figure that leaves the page.
function forget(root) {
  for (const canvas of root.querySelectorAll(".canvas")) {
    sight.unobserve(canvas);
    widths.unobserve(canvas);
    figures.delete(canvas);
  }
}

const STYLE = { background: "transparent", fontSize: "12px", fontFamily: "inherit", overflow: "visible" };
const plot = (options) => Plot.plot({ ...options, style: STYLE });
// Room for labels on the left, and how many characters of them fit.
function labelRoom(names, width) {
  if (narrow(width)) return { marginLeft: 10, lineWidth: 1 };
  const longest = d3.max(names, (name) => name.length) ?? 0;
  const room = Math.min(longest * 6.4 + 14, width * 0.4);
  return { marginLeft: Math.max(40, Math.round(room)), lineWidth: Math.max(40, room - 12) / 12 };
}
// On a phone names stand above their lines: beside them they would be cut where they differ.
const narrow = (width) => width < 520;
// A short label of a tick; a time with its unit where the axis spans several.
const tick = (value) => String(Number(value.toPrecision(3)));
const timeTick = (ns) => `${tick(ns / timeUnit(ns).size)} ${timeUnit(ns).name}`;
// 1, 2 and 5 of each decade, or only 1 where these are too many.
function logTicks(low, high, most) {
  const all = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1).flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)).filter((value) => value >= low * 0.999 && value <= high * 1.001);
  return all.length <= most ? all : all.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-9);
}
const tip = { fill: "var(--surface)", stroke: "var(--line)" };

const mostBars = 40;
const clipped = (shown, all) => (shown < all ? ` The first ${shown} of ${all} cases are drawn; the table has all.` : "");
