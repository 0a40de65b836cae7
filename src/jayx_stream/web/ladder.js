// Depth as a ladder: asks above, bids below, what one would have to eat through as bars.

import { Rows, element, onFrame, say } from "./dom.js";
import { roughly, steps } from "./format.js";

const ROW_PX = 20;
const MIDDLE_PX = 34;
const COLUMNS = ["price", "size", "total"];

/** `onPick(ticks)` is called when a level is clicked. */
export class Ladder {
  #instrument = null;
  #view = null;
  #own = new Set();
  #precise = 1;
  #last = null;
  #asks;
  #bids;
  #middle;
  #container;
  #draw = onFrame(() => this.#drawn());

  constructor(container, { asks, middle, bids }, onPick) {
    this.#container = container;
    this.#asks = new Rows(asks, COLUMNS);
    this.#bids = new Rows(bids, COLUMNS);
    this.#middle = middle;
    new ResizeObserver(this.#draw).observe(container);
    for (const half of [asks, bids]) {
      half.addEventListener("click", ({ target }) => {
        const row = target.closest("tr");
        if (row?.dataset.ticks) onPick(Number(row.dataset.ticks));
      });
    }
  }

  /** Another market or grouping: empty until its book comes. */
  show(instrument, precise) {
    this.#instrument = instrument;
    this.#precise = precise;
    this.update(null);
  }

  /** What is held of the book now; null: nothing. */
  update(view) {
    this.#view = view;
    if (view !== null) this.#last = view.trades[0] ?? null;
    this.#draw();
  }

  /** Prices in ticks of the user's own open orders in this market. */
  mark(orders) {
    const wide = this.#precise;
    this.#own = new Set(
      orders.map(({ ticks, side }) =>
        side === "SELL" ? Math.ceil(ticks / wide) * wide : Math.floor(ticks / wide) * wide,
      ),
    );
    this.#draw();
  }

  #drawn() {
    const room = Math.floor((this.#container.clientHeight - MIDDLE_PX) / 2 / ROW_PX);
    const count = Math.max(room, 5);
    const { asks, bids } = this.#view ?? { asks: [], bids: [] };
    const halves = [asks.slice(0, count), bids.slice(0, count)].map(withTotals);
    const most = Math.max(...halves.map((half) => half.at(-1)?.total ?? 0), 1);
    this.#fill(this.#asks, halves[0], count, most, true);
    this.#fill(this.#bids, halves[1], count, most, false);
    this.#drawMiddle(asks[0], bids[0]);
  }

  #fill(rows, levels, count, most, isUpsideDown) {
    rows.take(count).forEach(({ row, cells }, at) => {
      const level = levels[isUpsideDown ? count - 1 - at : at];
      if (level === undefined) {
        for (const name of COLUMNS) say(cells[name], "");
        row.removeAttribute("data-ticks");
        row.removeAttribute("class");
        row.style.setProperty("--bar", "0%");
        return;
      }
      const { tick, lot } = this.#instrument;
      say(cells.price, steps(level.ticks, tick));
      say(cells.size, steps(level.lots, lot));
      say(cells.total, steps(level.total, lot));
      row.dataset.ticks = level.ticks;
      row.className = this.#own.has(level.ticks) ? "own" : "";
      row.title = `${level.count} order${level.count === 1 ? "" : "s"}`;
      row.style.setProperty("--bar", `${((100 * level.total) / most).toFixed(1)}%`);
    });
  }

  #drawMiddle(ask, bid) {
    if (this.#view === null) {
      this.#middle.replaceChildren(element("span", { class: "empty" }, "Waiting for the book…"));
      return;
    }
    const { tick } = this.#instrument;
    const trade = this.#last;
    const price = trade
      ? element("strong", { class: trade.side === "BUY" ? "up" : "down" }, steps(trade.ticks, tick))
      : element("strong", {}, "–");
    let gap = "one side is empty";
    if (ask && bid) {
      const apart = roughly(ask.ticks - bid.ticks, tick) / roughly(ask.ticks, tick);
      gap = `spread ${steps(ask.ticks - bid.ticks, tick)} · ${(apart * 10_000).toFixed(2)} bp`;
    } else if (!ask && !bid) gap = "the book is empty";
    this.#middle.replaceChildren(price, element("span", {}, gap));
  }
}

function withTotals(levels) {
  let total = 0;
  return levels.map((level) => ({ ...level, total: (total += level.lots) }));
}
