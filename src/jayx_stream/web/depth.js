// Depth as a curve: what lies between the middle and each price, summed.

import { colour, onFrame } from "./dom.js";
import { roughly, steps } from "./format.js";

const PAD = { top: 6, bottom: 18 };
const USUAL_LEVELS = 0.8;

/** Draws on a canvas that fills its container. */
export class DepthCurve {
  #canvas;
  #readout;
  #instrument = null;
  #halves = null;
  #pointer = null;
  #draw = onFrame(() => this.#drawn());

  constructor(canvas, readout) {
    this.#canvas = canvas;
    this.#readout = readout;
    new ResizeObserver(this.#draw).observe(canvas);
    canvas.addEventListener("pointermove", ({ offsetX }) => this.#point(offsetX));
    canvas.addEventListener("pointerleave", () => this.#point(null));
  }

  /** Take the colours of the theme that is in force. */
  dress() {
    this.#draw();
  }

  /** Another market or grouping: empty until its book comes. */
  show(instrument) {
    this.#instrument = instrument;
    this.update(null);
  }

  /** What is held of the book now; null: nothing. */
  update(view) {
    this.#halves = view && { asks: summed(view.asks), bids: summed(view.bids) };
    this.#draw();
  }

  #point(x) {
    this.#pointer = x;
    this.#draw();
  }

  #drawn() {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const { asks = [], bids = [] } = this.#halves ?? {};
    if (asks.length === 0 || bids.length === 0) {
      this.#readout.textContent = "";
      return;
    }
    const scale = this.#scale(asks, bids, width, height);
    drawHalf(pen, bids, scale, height, "up");
    drawHalf(pen, asks, scale, height, "down");
    this.#drawPrices(pen, scale, width, height);
    this.#tell(pen, scale, width, height);
  }

  /** The same distance to both sides; the few orders that wait far away don't count. */
  #scale(asks, bids, width, height) {
    const middle = (asks[0].ticks + bids[0].ticks) / 2;
    const reach = Math.max(...[asks, bids].map((half) => Math.abs(usual(half) - middle)), 1);
    const most = Math.max(totalAt(asks, middle + reach), totalAt(bids, middle - reach), 1);
    return {
      middle,
      reach,
      x: (ticks) => width / 2 + ((ticks - middle) / reach) * (width / 2),
      y: (total) => height - PAD.bottom - (total / most) * (height - PAD.top - PAD.bottom),
      ticks: (x) => middle + ((x - width / 2) / (width / 2)) * reach,
    };
  }

  #drawPrices(pen, { middle, reach, x }, width, height) {
    pen.fillStyle = colour("muted");
    pen.font = `11px ${getComputedStyle(this.#canvas).fontFamily}`;
    pen.textAlign = "center";
    for (const part of [-0.75, -0.375, 0, 0.375, 0.75]) {
      const ticks = Math.round(middle + part * reach);
      pen.fillText(steps(ticks, this.#instrument.tick), x(ticks), height - 5);
    }
  }

  #tell(pen, { ticks, x, y }, width, height) {
    const { tick, lot, base } = this.#instrument;
    const { asks, bids } = this.#halves;
    if (this.#pointer === null) {
      const [bid, ask] = [bids, asks].map((half) => steps(half.at(-1).total, lot));
      this.#readout.textContent = `${bid} ${base} bid   ${ask} ${base} asked`;
      return;
    }
    const price = Math.round(ticks(this.#pointer));
    const half = this.#pointer > x((asks[0].ticks + bids[0].ticks) / 2) ? asks : bids;
    const total = totalAt(half, price);
    pen.strokeStyle = colour("muted");
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(this.#pointer, PAD.top);
    pen.lineTo(this.#pointer, height - PAD.bottom);
    pen.stroke();
    pen.setLineDash([]);
    pen.beginPath();
    pen.arc(this.#pointer, y(total), 3, 0, 2 * Math.PI);
    pen.fillStyle = colour("text");
    pen.fill();
    const far = (roughly(price, tick) / roughly((asks[0].ticks + bids[0].ticks) / 2, tick) - 1) * 100;
    this.#readout.textContent =
      `${steps(total, lot)} ${base} to ${steps(price, tick)} (${far < 0 ? "−" : "+"}${Math.abs(far).toFixed(2)} %)`;
  }
}

function drawHalf(pen, levels, { x, y }, height, side) {
  const floor = height - PAD.bottom;
  const line = new Path2D();
  line.moveTo(x(levels[0].ticks), floor);
  let before = floor;
  for (const { ticks, total } of levels) {
    line.lineTo(x(ticks), before);
    before = y(total);
    line.lineTo(x(ticks), before);
  }
  const end = side === "up" ? -1 : pen.canvas.clientWidth + 1;
  line.lineTo(end, before);
  pen.strokeStyle = colour(side);
  pen.lineWidth = 1.5;
  pen.stroke(line);
  line.lineTo(end, floor);
  pen.fillStyle = colour(`${side}-faint`);
  pen.fill(line);
}

/** The price up to which most levels of a half lie. */
function usual(half) {
  return half[Math.ceil(half.length * USUAL_LEVELS) - 1].ticks;
}

function summed(levels) {
  let total = 0;
  return levels.map(({ ticks, lots }) => ({ ticks, total: (total += lots) }));
}

/** What lies between the middle and a price. */
function totalAt(half, price) {
  const isAsk = half.length > 1 && half[1].ticks > half[0].ticks;
  let total = 0;
  for (const level of half) {
    if (isAsk ? level.ticks > price : level.ticks < price) break;
    total = level.total;
  }
  return total;
}
