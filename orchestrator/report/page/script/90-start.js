// Puts the page together, and what the whole of it does: theme, navigation, printing.
const openedForPrint = 40; // rows; more would be a book

function start() {
  const main = document.getElementById("main");
  main.append(...[overview, casesTable, latencySection, distributionSection, closeSection, tradeoffSection, queriesSection, scalingSection, rooflineSection, mlperfSection, gapsSection, originSection].map((make) => make()).filter(Boolean));
  document.getElementById("sections").append(...sections.filter(([id]) => document.getElementById(id)).map(([id, title]) => el("a", { href: `#${id}` }, title)));
  const suites = [...new Set(data.runs.map((run) => Object.fromEntries(run.facts).suite))].join(", ");
  document.getElementById("made").textContent = `Made by Inferometer ${suites} from raw data. This file is complete: it asks no network for anything.`;
  document.documentElement.dataset.ready = "yes";
}

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
function nameTheme() {
  button.textContent = isDark() ? "Light" : "Dark";
  button.setAttribute("aria-label", `Use ${isDark() ? "light" : "dark"} colours`);
}
button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
dark.addEventListener("change", nameTheme);
nameTheme();

// On paper everything is open and drawn; afterwards the page is as it was.
let closing = [];
addEventListener("beforeprint", () => {
  const folds = [...document.querySelectorAll("details:not(.data):not([open])")];
  showAll();
  const shut = view.held.filter((one) => !isOpen(one));
  const lines = view.lines.length <= openedForPrint ? shut : [];
  folds.forEach((fold) => (fold.open = true));
  lines.forEach((one) => toggle(one, true));
  const said = view.lines.length > openedForPrint ? el("p", { class: "small soft" }, `On paper the details of more than ${openedForPrint} cases stay closed, unless they were opened.`) : null;
  if (said) view.count.after(said);
  drawAll();
  closing = [() => folds.forEach((fold) => (fold.open = false)), () => lines.forEach((one) => toggle(one, false)), () => said?.remove()];
});
addEventListener("afterprint", () => {
  closing.forEach((close) => close());
  closing = [];
});

start();
