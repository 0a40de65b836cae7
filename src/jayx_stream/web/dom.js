// The little that the page needs to keep its elements up to date.

/** The element with this id; it is there. */
export const byId = (id) => document.getElementById(id);

/** A new element with attributes and children; texts stay texts. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Set a text only where it is another: what stays the same costs the browser nothing. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Rows of a table, made once and filled again and again: `columns` names the classes of their cells. */
export class Rows {
  #body;
  #columns;
  #rows = [];

  constructor(body, columns) {
    this.#body = body;
    this.#columns = columns;
  }

  /** Have `count` rows, and give them: each has its cells by name in `cells`. */
  take(count) {
    while (this.#rows.length < count) {
      const cells = Object.fromEntries(
        this.#columns.map((name) => [name, element("td", { class: name })]),
      );
      const row = element("tr", {}, ...Object.values(cells));
      this.#rows.push({ row, cells });
      this.#body.append(row);
    }
    while (this.#rows.length > count) this.#rows.pop().row.remove();
    return this.#rows;
  }
}

/** Call `draw` before the next frame, once, however often it is asked for. */
export function onFrame(draw) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      draw();
    });
  };
}

const resolved = new Map();

/** A colour of the style sheet as a canvas takes it, in the theme that is in force. */
export function colour(name) {
  const key = `${document.documentElement.dataset.theme} ${name}`;
  if (!resolved.has(key)) {
    const probe = element("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    resolved.set(key, getComputedStyle(probe).color);
    probe.remove();
  }
  return resolved.get(key);
}

const TOASTS_MAX = 4;
const TOAST_MS = 6000;

/**
 * A line at the edge of the page that says what happened, and goes by itself. One about the same
 * thing, by its `key`, takes the place of the one before.
 */
export function toast(text, kind = "plain", key = text) {
  const toasts = byId("toasts");
  const line = element("p", { class: `toast ${kind}`, "data-key": key }, text);
  [...toasts.children].find((other) => other.dataset.key === String(key))?.remove();
  toasts.append(line);
  while (toasts.children.length > TOASTS_MAX) toasts.firstChild.remove();
  setTimeout(() => line.remove(), TOAST_MS);
}
