// Everything begins here: read the results, show each part, follow the switch.

function showTheme() {
  const button = byId("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
  const name = () => (button.textContent = isDark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  prefersDark.addEventListener("change", name);
  name();
}

const results = JSON.parse(byId("results").textContent);
const rows = comparisons(results);
showTheme();
showHeader(results);
showSummary(rows, results.candidates);
showTable(results, rows);
showFailures(results);
showBudgets(results);
showGrowth(results);
showRoofline(results);
