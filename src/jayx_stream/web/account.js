// One account: its balances and open orders, by a key that the user gives, and orders by its secret.
//
// Rule: key and secret go nowhere but to this server, and are kept only in this tab, only if asked.

import { Rows, byId, element, onFrame, say, toast } from "./dom.js";
import { grouped, parse } from "./format.js";
import { Signer } from "./sign.js";
import { Refused, Unanswered } from "./stream.js";

const KEPT = "jayx-key";
const NOWHERE = new Set(["FILLED", "CANCELED"]);

/** Tells by the events `orders`, `balances`, `login` and `closed` that something of it changed. */
export class Account extends EventTarget {
  #stream;
  #key = null;
  #signer = null;
  #subscriptions = [];
  #hasOrders = false;
  #refusal = "";
  isTrading = false;
  /** Open orders by id, oldest first. */
  orders = new Map();
  /** `{asset, balance, available}` by asset, decimals as texts. */
  balances = new Map();

  constructor(stream) {
    super();
    this.#stream = stream;
    stream.addEventListener("opened", () => this.#login());
    stream.addEventListener("state", () => {
      if (!stream.isLive) this.#setTrading(false);
    });
  }

  get isOpen() {
    return this.#key !== null;
  }

  /** What stands in the way of orders, for people; empty if nothing does. */
  get whyNoTrading() {
    if (this.isTrading) return "";
    if (this.#signer === null) return "Orders need the key’s secret: forget the key, and give both.";
    return this.#refusal || "Waiting for the server to let this key trade.";
  }

  /** Read the account of a key; trade too if there is a secret. Throws a sentence for people. */
  async open({ key, secret, keep }) {
    const signer = secret ? await Signer.of(secret) : null;
    this.close();
    this.#key = key;
    this.#signer = signer;
    if (keep) sessionStorage.setItem(KEPT, JSON.stringify({ key, secret }));
    this.#read("positions", ({ spot }) => this.#takeBalances(spot));
    this.#read("openorders", (push, envelope) => this.#takeOrders(push, envelope));
    await this.#login();
  }

  /** Forget the key, and all that was read by it. */
  close() {
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions = [];
    this.#key = this.#signer = null;
    this.#hasOrders = false;
    this.#refusal = "";
    this.orders.clear();
    this.balances.clear();
    sessionStorage.removeItem(KEPT);
    this.#setTrading(false);
    for (const what of ["orders", "balances", "closed"]) this.dispatchEvent(new Event(what));
  }

  /** What was kept in this tab, or null. */
  static kept() {
    return JSON.parse(sessionStorage.getItem(KEPT));
  }

  /** Place an order. If the connection is lost on the way it is asked again: its name places it once. */
  async place(order) {
    const named = { ...order, clientOrderId: crypto.randomUUID() };
    for (let tries = 3; ; tries--) {
      try {
        return await this.#stream.request("order", named);
      } catch (error) {
        if (!(error instanceof Unanswered) || tries === 0) throw error;
        await this.#tradingAgain();
      }
    }
  }

  cancel(id) {
    return this.#stream.request("cancel", { id });
  }

  cancelAll(symbol) {
    return this.#stream.request("cancelAll", { symbol });
  }

  #read(event, onPush) {
    const message = { apiKey: this.#key, category: "spot" };
    const signer = this.#signer;
    const subscription = this.#stream.subscribe(event, message, {
      onPush,
      resumes: true,
      prove: signer && (() => signer.prove(event)),
      onRefused: (error) => this.#refused(error),
    });
    this.#subscriptions.push(subscription);
  }

  #refused({ message }) {
    if (!this.isOpen) return;
    this.close();
    toast(`The key was refused: ${message}`, "bad");
  }

  async #login() {
    if (this.#signer === null || !this.#stream.isLive) return;
    try {
      await this.#stream.request("login", { apiKey: this.#key, ...(await this.#signer.prove("login")) });
      this.#setTrading(true);
    } catch (error) {
      if (!(error instanceof Refused)) return;
      this.#refusal = `This key may not trade: ${error.message}`;
      this.dispatchEvent(new Event("login"));
    }
  }

  #setTrading(isTrading) {
    if (this.isTrading === isTrading) return;
    this.isTrading = isTrading;
    this.dispatchEvent(new Event("login"));
  }

  #tradingAgain() {
    if (this.isTrading) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Unanswered("still not connected")), 20000);
      this.addEventListener("login", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  #takeBalances(spot) {
    this.balances = new Map(spot.map((each) => [each.asset, each]));
    this.dispatchEvent(new Event("balances"));
  }

  #takeOrders({ cancel, modify }, { reset }) {
    // The first push, and one that stands in place of changes, is the whole; every other is a change.
    if (reset || !this.#hasOrders) this.orders.clear();
    const isNews = this.#hasOrders && !reset;
    this.#hasOrders = true;
    for (const order of [...cancel, ...modify]) {
      const before = this.orders.get(order.id);
      if (NOWHERE.has(order.state)) this.orders.delete(order.id);
      else this.orders.set(order.id, order);
      if (isNews) this.#tellNews(order, before);
    }
    this.dispatchEvent(new Event("orders"));
  }

  #tellNews(order, before) {
    const what = `${order.side} ${grouped(order.quantity)} ${order.symbol}`;
    if (order.exec > (before?.exec ?? 0)) {
      const part = order.state === "FILLED" ? "filled" : `${percentDone(order)} % filled`;
      toast(`${what}: ${part}`, order.side === "BUY" ? "up" : "down", order.id);
    } else if (order.state === "CANCELED") toast(`${what}: canceled`, "plain", order.id);
  }
}

/** The form for a key, the balances and the open orders, kept up to date. */
export class AccountView {
  #account;
  #instruments;
  #orders = new Rows(byId("orders-body"), ["symbol", "side", "type", "price", "size", "done", "act"]);
  #balances = new Rows(byId("balances-body"), ["asset", "balance", "available"]);

  constructor(account, instruments) {
    this.#account = account;
    this.#instruments = instruments;
    account.addEventListener("orders", onFrame(() => this.#drawOrders()));
    account.addEventListener("login", () => this.#drawOrders());
    account.addEventListener("balances", onFrame(() => this.#drawBalances()));
    account.addEventListener("closed", () => this.#show());
    byId("key-form").addEventListener("submit", (event) => this.#submit(event));
    byId("forget").addEventListener("click", () => account.close());
    this.#show();
    const kept = Account.kept();
    if (kept !== null) this.#open({ ...kept, keep: true });
  }

  #submit(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    this.#open({
      key: form.get("key").trim(),
      secret: form.get("secret").trim(),
      keep: form.get("keep") !== null,
    });
    event.target.reset();
  }

  async #open(access) {
    try {
      await this.#account.open(access);
    } catch (error) {
      toast(error.message, "bad");
    }
    this.#show();
  }

  #show() {
    byId("key-form").hidden = this.#account.isOpen;
    byId("account").dataset.open = this.#account.isOpen;
    for (const part of document.querySelectorAll(".with-key")) part.hidden = !this.#account.isOpen;
  }

  #drawOrders() {
    const orders = [...this.#account.orders.values()].reverse();
    byId("orders-empty").hidden = orders.length > 0;
    byId("orders-count").textContent = orders.length || "";
    byId("cancel-all").disabled = !this.#account.isTrading || orders.length === 0;
    this.#orders.take(orders.length).forEach(({ row, cells }, at) => {
      const order = orders[at];
      say(cells.symbol, order.symbol);
      say(cells.side, order.side === "BUY" ? "▲ Buy" : "▼ Sell");
      say(cells.type, order.type.replace("_", " ").toLowerCase());
      say(cells.price, this.#priceOf(order));
      say(cells.size, grouped(order.quantity));
      say(cells.done, `${percentDone(order)} %`);
      row.className = order.side === "BUY" ? "up" : "down";
      this.#offerCancel(cells.act, order);
    });
  }

  #priceOf({ symbol, price }) {
    const decimals = this.#instruments.get(symbol)?.tick.decimals ?? 0;
    const [whole, fraction = ""] = grouped(price).split(".");
    return decimals ? `${whole}.${fraction.padEnd(decimals, "0")}` : whole;
  }

  #offerCancel(cell, { id, symbol }) {
    if (cell.dataset.id !== String(id)) {
      cell.dataset.id = id;
      const label = `Cancel order ${id} of ${symbol}`;
      const onclick = () => this.#account.cancel(id).catch(({ message }) => toast(message, "bad"));
      cell.replaceChildren(element("button", { class: "quiet", "aria-label": label, onclick }, "Cancel"));
    }
    cell.firstChild.disabled = !this.#account.isTrading;
    cell.firstChild.title = this.#account.isTrading ? "" : "Canceling needs the key's secret";
  }

  #drawBalances() {
    const balances = [...this.#account.balances.values()];
    byId("balances-empty").hidden = balances.length > 0;
    this.#balances.take(balances.length).forEach(({ cells }, at) => {
      say(cells.asset, balances[at].asset);
      say(cells.balance, grouped(balances[at].balance));
      say(cells.available, grouped(balances[at].available));
    });
  }
}

/** The user's open orders of one market, prices in ticks. */
export function ownLevels(account, { symbol, tick }) {
  return [...account.orders.values()]
    .filter((order) => order.symbol === symbol && order.price !== "0")
    .map(({ price, side, quantity }) => ({ ticks: Number(parse(price, tick, "price")), side, quantity }));
}

/** Of an order that is open or filled. */
function percentDone({ exec, resd }) {
  return Math.floor((100 * exec) / (exec + resd));
}
