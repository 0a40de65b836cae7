// Candles with volume: TradingView's lightweight-charts, fed by the stream `kline`.

import { colour } from "./dom.js";
import { roughly, steps } from "./format.js";

const { CandlestickSeries, HistogramSeries, createChart } = window.LightweightCharts;
export const HISTORY = 500;
const LINES_MAX = 20;
const FEW = 60;
const WIDE_PX = 12;
const USUAL_PX = 7;

/** Times on the chart are UTC, as the kline's are. */
export class Chart {
  #chart;
  #candles;
  #volume;
  #legend;
  #instrument = null;
  #klines = [];
  #history = null;
  #lines = [];

  constructor(container, legend) {
    this.#legend = legend;
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(container).fontFamily, fontSize: 11 },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 4 },
      crosshair: { mode: 0 },
    });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#chart.subscribeCrosshairMove((at) => this.#tell(at));
    this.dress();
  }

  /** Take the colours of the theme that is in force. */
  dress() {
    const line = { color: colour("grid") };
    const [up, down] = [colour("up"), colour("down")];
    this.#chart.applyOptions({
      layout: { background: { color: colour("panel") }, textColor: colour("muted") },
      grid: { vertLines: line, horzLines: line },
    });
    this.#candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    if (this.#instrument) this.#redraw();
  }

  /** Show another market or interval: empty until its history comes. */
  show(instrument) {
    this.#instrument = instrument;
    const { tick } = instrument;
    const minMove = roughly(1, tick);
    const formatter = (price) => steps(Math.round(price / minMove), tick);
    this.#candles.applyOptions({ priceFormat: { type: "custom", minMove, formatter } });
    this.#klines = [];
    this.#redraw();
  }

  /** Draw a line at each of the user's own open orders in this market. */
  mark(orders) {
    for (const line of this.#lines) this.#candles.removePriceLine(line);
    this.#lines = orders.slice(0, LINES_MAX).map(({ ticks, side, quantity }) =>
      this.#candles.createPriceLine({
        price: roughly(ticks, this.#instrument.tick),
        color: colour(side === "BUY" ? "up" : "down"),
        lineWidth: 1,
        lineStyle: 1,
        axisLabelVisible: true,
        title: `${side.toLowerCase()} ${quantity}`,
      }),
    );
  }

  /** A new connection: the history comes again, before the present kline. */
  begin() {
    this.#history = [];
  }

  /** One push of `kline`. */
  apply({ add, modify }) {
    if (this.#history !== null) {
      if (add !== null && modify === null) {
        this.#history.push(add);
        return;
      }
      this.#klines = [...this.#history, add, modify].filter(Boolean);
      this.#history = null;
      this.#redraw();
      return;
    }
    for (const kline of [modify, add]) if (kline !== null) this.#update(kline);
  }

  #update(kline) {
    const last = this.#klines.at(-1);
    if (last !== undefined && kline.created < last.created) return;
    if (last?.created === kline.created) this.#klines.pop();
    this.#klines.push(kline);
    this.#candles.update(this.#candle(kline));
    this.#volume.update(this.#bar(kline));
    this.#tell(null);
  }

  #redraw() {
    const barSpacing = this.#klines.length < FEW ? WIDE_PX : USUAL_PX;
    this.#chart.timeScale().applyOptions({ barSpacing });
    this.#candles.setData(this.#klines.map((kline) => this.#candle(kline)));
    this.#volume.setData(this.#klines.map((kline) => this.#bar(kline)));
    this.#tell(null);
  }

  #candle({ created, o, h, l, c }) {
    const { tick } = this.#instrument;
    const [open, high, low, close] = [o, h, l, c].map((ticks) => roughly(ticks, tick));
    return { time: created, open, high, low, close };
  }

  #bar({ created, o, c, v }) {
    const color = colour(c >= o ? "up-soft" : "down-soft");
    return { time: created, value: roughly(v, this.#instrument.lot), color };
  }

  /** The figures of the kline under the pointer, or of the last one. */
  #tell(at) {
    const under = at?.time && this.#klines.find(({ created }) => created === at.time);
    const kline = under || this.#klines.at(-1);
    if (kline === undefined) {
      this.#legend.textContent = this.#history === null ? "No trades yet" : "";
      return;
    }
    const { tick, lot } = this.#instrument;
    const prices = ["o", "h", "l", "c"].map((name) => `${name.toUpperCase()} ${steps(kline[name], tick)}`);
    this.#legend.textContent = `${prices.join("   ")}   V ${steps(kline.v, lot)}`;
    this.#legend.dataset.side = kline.c >= kline.o ? "up" : "down";
  }
}
