// Light or dark: the system's choice until the user makes one, which this browser then remembers.

const KEY = "jayx-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** The theme in force. */
export function theme() {
  return document.documentElement.dataset.theme;
}

/** Follow the system and the button; `onChange` is called after each change. */
export function startTheme(button, onChange) {
  const apply = () => {
    const now = localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = now;
    const other = now === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.title = `Switch to the ${other} theme (t)`;
    onChange();
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, theme() === "dark" ? "light" : "dark");
    apply();
  });
  apply();
}
