// The page: which market is shown, and who is told what about it.

import { Account, AccountView, ownLevels } from "./account.js";
import { BookGap, BookReplica } from "./book.js";
import { Chart, HISTORY } from "./chart.js";
import { DepthCurve } from "./depth.js";
import { byId, element, onFrame, say, toast } from "./dom.js";
import { percent, roughly, step, steps } from "./format.js";
import { startKeys } from "./keys.js";
import { Ladder } from "./ladder.js";
import { Stream } from "./stream.js";
import { startTheme } from "./theme.js";
import { Ticket } from "./ticket.js";
import { Tape } from "./trades.js";

const DEPTH = 200;
const DAY_S = 86400;
const INTERVALS = { 60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14400: "4h", 86400: "1d", 604800: "1w" };
const PRECISES = [1, 10, 100, 1000, 10000, 100000];

class Page {
  #instruments;
  #stream = new Stream(location.origin.replace("http", "ws") + "/");
  #account = new Account(this.#stream);
  #chart = new Chart(byId("chart"), byId("legend"));
  #depth = new DepthCurve(byId("curve"), byId("curve-readout"));
  #tape = new Tape(byId("tape-body"), byId("tape-empty"));
  #ticket = new Ticket(this.#account);
  #ladder = new Ladder(
    byId("ladder"),
    { asks: byId("asks"), middle: byId("middle"), bids: byId("bids") },
    (ticks) => this.#ticket.pick(ticks),
  );
  #reading = {};
  #today = null;
  #shown = {};

  constructor(instruments) {
    this.#instruments = new Map(instruments.map((each) => [each.symbol, each]));
  }

  start() {
    this.#offerChoices();
    this.#offerIntervals();
    startTheme(byId("theme"), () => {
      this.#chart.dress();
      this.#depth.dress();
    });
    new AccountView(this.#account, this.#instruments);
    this.#account.addEventListener("orders", onFrame(() => this.#markOwn()));
    this.#stream.addEventListener("state", () => this.#drawState());
    this.#stream.addEventListener("latency", ({ detail }) => this.#drawLatency(detail));
    this.#stream.addEventListener("notice", () => toast("The server is about to restart."));
    setInterval(() => this.#stream.isLive || this.#drawState(), 500);
    addEventListener("hashchange", () => this.#follow());
    this.#follow();
    this.#offerKeys();
    this.#stream.open();
  }

  /** Show what the address says: `#SYMBOL/INTERVAL/GROUPING`. */
  #follow() {
    const [symbol, interval, precise] = location.hash.slice(1).split("/");
    const instrument = this.#instruments.get(symbol) ?? this.#instruments.values().next().value;
    const wanted = {
      symbol: instrument.symbol,
      interval: interval in INTERVALS ? interval : "60",
      precise: PRECISES.includes(Number(precise)) ? Number(precise) : 1,
    };
    const before = this.#shown;
    this.#shown = wanted;
    const isOther = wanted.symbol !== before.symbol;
    if (isOther) this.#showInstrument(instrument);
    if (isOther || wanted.interval !== before.interval) this.#readKlines(instrument);
    if (isOther || wanted.precise !== before.precise) this.#readBook(instrument);
    byId("symbol").value = wanted.symbol;
    for (const button of byId("intervals").children) {
      button.setAttribute("aria-pressed", button.value === wanted.interval);
    }
    byId("precise").value = wanted.precise;
  }

  #choose(changed) {
    const { symbol, interval, precise } = { ...this.#shown, ...changed };
    location.hash = `${symbol}/${interval}/${precise}`;
  }

  #showInstrument(instrument) {
    this.#tape.show(instrument);
    this.#ticket.show(instrument);
    this.#today = null;
    for (const [at, option] of [...byId("precise").options].entries()) {
      option.textContent = steps(PRECISES[at], instrument.tick);
    }
    byId("price-head").textContent = `Price ${instrument.quote}`;
    byId("size-head").textContent = `Size ${instrument.base}`;
    this.#read("today", "kline", { symbol: instrument.symbol, interval: String(DAY_S) }, {
      onPush: ({ add, modify }) => {
        this.#today = add ?? modify;
        this.#drawToday(instrument);
      },
    });
    this.#drawToday(instrument);
    this.#markOwn();
  }

  #readKlines({ symbol }) {
    const { interval } = this.#shown;
    this.#chart.show(this.#instruments.get(symbol));
    this.#read("klines", "kline", { symbol, interval, limit: HISTORY }, {
      onBegin: () => this.#chart.begin(),
      onPush: (push) => this.#chart.apply(push),
    });
  }

  #readBook(instrument) {
    const { symbol } = instrument;
    const { precise } = this.#shown;
    const replica = new BookReplica();
    this.#ladder.show(instrument, precise);
    this.#depth.show(instrument);
    const message = { symbol, precise: String(precise), depth: DEPTH, mode: "delta" };
    const reading = this.#read("book", "orderbook", message, {
      onPush: (push, envelope) => {
        try {
          if (replica.apply(push, envelope)) this.#drawBook(replica.view, envelope);
        } catch (error) {
          if (!(error instanceof BookGap)) throw error;
          reading.again();
        }
      },
    });
    this.#markOwn();
  }

  /** Read one stream in place of the one read under this name before. */
  #read(name, event, message, callbacks) {
    this.#reading[name]?.end();
    const onRefused = (error) => toast(error.message, "bad");
    const all = { category: "spot", ...message };
    this.#reading[name] = this.#stream.subscribe(event, all, { onRefused, ...callbacks });
    return this.#reading[name];
  }

  #drawBook(view, { trade, seq }) {
    this.#ladder.update(view);
    this.#depth.update(view);
    this.#ticket.update(view);
    this.#tape.update(view.trades, trade);
    byId("seq").textContent = `commit ${seq.toLocaleString("en")}`;
  }

  #drawToday({ symbol, base, tick, lot }) {
    const day = this.#today;
    const last = byId("last");
    say(last, day ? steps(day.c, tick) : "–");
    document.title = day ? `${last.textContent} ${symbol} · jayx-stream` : `${symbol} · jayx-stream`;
    const share = day && day.o ? roughly(day.c - day.o, tick) / roughly(day.o, tick) : 0;
    say(byId("change"), day ? `${share < 0 ? "▼" : "▲"} ${percent(share)}` : "");
    byId("quote").dataset.side = share < 0 ? "down" : "up";
    say(byId("high"), day ? steps(day.h, tick) : "–");
    say(byId("low"), day ? steps(day.l, tick) : "–");
    say(byId("volume"), day ? `${steps(day.v, lot)} ${base}` : "–");
  }

  #markOwn() {
    const instrument = this.#instruments.get(this.#shown.symbol);
    const orders = ownLevels(this.#account, instrument);
    this.#ladder.mark(orders);
    this.#chart.mark(orders);
  }

  #drawState() {
    const { state, retryAt } = this.#stream;
    const wasLive = document.body.dataset.state !== "connecting";
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
    // Once it was live, the tries in between are not worth a flicker.
    const told = wasLive && state === "connecting" ? "waiting" : state;
    document.body.dataset.state = told;
    say(byId("state-word"), { live: "Live", connecting: "Connecting", waiting: "Offline" }[told]);
    say(byId("offline-when"), state === "waiting" ? `Trying again in ${seconds} s.` : "Trying…");
    if (state !== "live") say(byId("latency"), "");
  }

  #drawLatency(ms) {
    say(byId("latency"), ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
  }

  #offerChoices() {
    const options = {
      symbol: [...this.#instruments.keys()].map((symbol) => [symbol, symbol]),
      precise: PRECISES.map((precise) => [precise, precise]),
    };
    for (const [name, choices] of Object.entries(options)) {
      const select = byId(name);
      select.append(...choices.map(([value, text]) => element("option", { value }, text)));
      select.addEventListener("change", () => this.#choose({ [name]: select.value }));
    }
  }

  #offerIntervals() {
    for (const [value, text] of Object.entries(INTERVALS)) {
      const onclick = () => this.#choose({ interval: value });
      byId("intervals").append(element("button", { type: "button", value, onclick }, text));
    }
  }

  #offerKeys() {
    const help = byId("help");
    const shortcuts = {
      "/": () => byId("symbol").focus(),
      b: () => this.#ticket.begin("BUY"),
      s: () => this.#ticket.begin("SELL"),
      t: () => byId("theme").click(),
      "[": () => this.#step("precise", PRECISES.map(String), -1),
      "]": () => this.#step("precise", PRECISES.map(String), +1),
      m: () => this.#step("symbol", [...this.#instruments.keys()], +1),
      X: () => byId("cancel-all").click(),
    };
    Object.keys(INTERVALS).forEach((interval, at) => {
      shortcuts[at + 1] = () => this.#choose({ interval });
    });
    startKeys(shortcuts, help);
    byId("help-open").addEventListener("click", () => help.showModal());
    byId("help-close").addEventListener("click", () => help.close());
    byId("cancel-all").addEventListener("click", () => {
      const { symbol } = this.#shown;
      if (!confirm(`Cancel all open orders of ${symbol}?`)) return;
      this.#account.cancelAll(symbol).catch(({ message }) => toast(message, "bad"));
    });
  }

  #step(name, values, by) {
    const at = values.indexOf(String(this.#shown[name]));
    const last = values.length - 1;
    const next = name === "symbol" ? (at + by) % values.length : Math.min(Math.max(at + by, 0), last);
    this.#choose({ [name]: values[next] });
  }
}

/** The venue's instruments; asked again until there is an answer. */
async function instruments() {
  for (;;) {
    try {
      const answer = await (await fetch("/api/v1/public/exchangeInfo")).json();
      return answer.data.instruments.map((each) => ({
        ...each,
        tick: step(each.tickSize),
        lot: step(each.lotSize),
      }));
    } catch {
      document.body.dataset.state = "waiting";
      await new Promise((again) => setTimeout(again, 1000));
    }
  }
}

new Page(await instruments()).start();
