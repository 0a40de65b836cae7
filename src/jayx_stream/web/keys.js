// The keyboard: single keys, never while somebody types into a field.

/** `shortcuts` is a map from a key to what it does; `?` opens the help, Escape leaves a field. */
export function startKeys(shortcuts, help) {
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input, select, textarea")) {
      if (key === "Escape") target.blur();
      return;
    }
    const act = key === "?" ? () => toggle(help) : help.open ? undefined : shortcuts[key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function toggle(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}
