// The tape: the market's last trades, newest first.

import { Rows, onFrame, say } from "./dom.js";
import { clock, steps } from "./format.js";

/** Reads the trades of a book's view. */
export class Tape {
  #rows;
  #empty;
  #instrument = null;
  #trades = [];
  #newestId = 0;
  #drawnId = 0;
  #draw = onFrame(() => this.#drawn());

  constructor(body, empty) {
    this.#rows = new Rows(body, ["price", "size", "time"]);
    this.#empty = empty;
  }

  /** Another market: empty until its trades come. */
  show(instrument) {
    this.#instrument = instrument;
    this.#drawnId = 0;
    this.update([], 0);
  }

  /** Newest first; `newestId` is the first one's. */
  update(trades, newestId) {
    this.#trades = trades;
    this.#newestId = newestId;
    this.#draw();
  }

  #drawn() {
    const isNew = this.#drawnId ? this.#newestId - this.#drawnId : 0;
    this.#drawnId = this.#newestId;
    this.#empty.hidden = this.#trades.length > 0;
    this.#rows.take(this.#trades.length).forEach(({ row, cells }, at) => {
      const { ticks, lots, side, created } = this.#trades[at];
      const { tick, lot } = this.#instrument;
      say(cells.price, `${side === "BUY" ? "▲" : "▼"} ${steps(ticks, tick)}`);
      say(cells.size, steps(lots, lot));
      say(cells.time, clock(created));
      row.className = side === "BUY" ? "up" : "down";
      if (at < isNew) row.getAnimations().length || row.animate(FLASH, 600);
    });
  }
}

const FLASH = [{ opacity: 0.35 }, { opacity: 1 }];
