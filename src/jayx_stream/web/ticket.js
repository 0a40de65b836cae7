// The ticket: one order at a time, checked here as far as can be, and placed by stream.

import { byId, toast } from "./dom.js";
import { assetUnits, fixed, parse } from "./format.js";

const UNIT_DECIMALS = 8;

/** Places orders of the market that is shown. */
export class Ticket {
  #account;
  #form = byId("ticket");
  #instrument = null;
  #best = {};

  constructor(account) {
    this.#account = account;
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#form.addEventListener("input", () => this.#review());
    for (const button of this.#form.querySelectorAll("[data-share]")) {
      button.addEventListener("click", () => this.#take(BigInt(button.dataset.share)));
    }
    for (const event of ["login", "balances"]) account.addEventListener(event, () => this.#review());
  }

  /** Another market. */
  show(instrument) {
    this.#instrument = instrument;
    this.#field("price").value = this.#field("quantity").value = "";
    byId("price-unit").textContent = instrument.quote;
    byId("quantity-unit").textContent = instrument.base;
    this.#review();
  }

  /** Best prices in ticks, for what a market order may cost. */
  update(view) {
    this.#best = { BUY: view?.asks[0]?.ticks, SELL: view?.bids[0]?.ticks };
  }

  /** Begin an order of a side: to the price, or straight to the size if it is known. */
  begin(side) {
    if (!this.#account.isOpen) {
      byId("key").focus();
      return;
    }
    this.#form.elements.side.value = side;
    this.#review();
    this.#field(this.#isMarket || this.#field("price").value ? "quantity" : "price").focus();
  }

  /** Take a price from the book. */
  pick(ticks) {
    const { tick } = this.#instrument;
    this.#field("price").value = fixed(BigInt(ticks) * tick.units, tick.decimals).replaceAll(",", "");
    this.#review();
    if (this.#account.isOpen) this.#field("quantity").focus();
  }

  get #side() {
    return this.#form.elements.side.value;
  }

  get #isMarket() {
    return this.#field("type").value === "MARKET";
  }

  #field(name) {
    return this.#form.elements[name];
  }

  /** The order that the fields say, `quantity` and `price` as decimals; throws what is wrong. */
  #read() {
    const { symbol, tick, lot } = this.#instrument;
    const order = { symbol, side: this.#side, type: this.#field("type").value };
    const ticks = this.#isMarket ? null : parse(this.#field("price").value, tick, "price");
    const lots = parse(this.#field("quantity").value, lot, "quantity");
    order.quantity = fixed(lots * lot.units, lot.decimals).replaceAll(",", "");
    if (ticks !== null) order.price = fixed(ticks * tick.units, tick.decimals).replaceAll(",", "");
    return { order, ticks, lots };
  }

  /** A share, in percent, of what is available, at the price of the ticket. */
  #take(share) {
    const { base, quote, tick, lot } = this.#instrument;
    const isBuy = this.#side === "BUY";
    const available = this.#account.balances.get(isBuy ? quote : base)?.available ?? "0";
    let units = (assetUnits(available) * share) / 100n;
    if (isBuy) {
      const ticks = this.#priceTicks();
      if (ticks === null) {
        toast("Enter a price first.", "bad");
        return;
      }
      units = (units * 10n ** BigInt(tick.decimals)) / (ticks * tick.units);
    }
    const lots = (units * 10n ** BigInt(lot.decimals)) / 10n ** BigInt(UNIT_DECIMALS) / lot.units;
    this.#field("quantity").value = fixed(lots * lot.units, lot.decimals).replaceAll(",", "");
    this.#review();
  }

  #priceTicks() {
    if (this.#isMarket) return this.#best[this.#side] ? BigInt(this.#best[this.#side]) : null;
    try {
      return parse(this.#field("price").value, this.#instrument.tick, "price");
    } catch {
      return null;
    }
  }

  /** Keep the button, the hint and what it costs in step with the fields. */
  #review() {
    if (this.#instrument === null) return;
    const { base, quote, tick, lot } = this.#instrument;
    const button = byId("place");
    this.#form.dataset.side = this.#side;
    this.#field("price").disabled = this.#isMarket;
    button.textContent = `${this.#side === "BUY" ? "Buy" : "Sell"} ${base}`;
    button.disabled = !this.#account.isTrading;
    byId("ticket-hint").textContent = this.#account.whyNoTrading || this.#cost(tick, lot, quote);
  }

  #cost(tick, lot, quote) {
    const ticks = this.#priceTicks();
    let lots;
    try {
      lots = parse(this.#field("quantity").value, lot, "quantity");
    } catch {
      return "";
    }
    if (ticks === null) return "";
    const units = ticks * tick.units * lots * lot.units;
    const about = this.#isMarket ? "about " : "";
    return `= ${about}${fixed(units, tick.decimals + lot.decimals, 2)} ${quote}`;
  }

  async #submit(event) {
    event.preventDefault();
    const button = byId("place");
    if (button.disabled) return;
    try {
      const { order } = this.#read();
      button.disabled = true;
      await this.#account.place(order);
      this.#field("quantity").value = "";
    } catch ({ message }) {
      toast(message, "bad");
    }
    this.#review();
  }
}
