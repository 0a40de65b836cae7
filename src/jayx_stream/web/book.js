// A replica of a book, kept by the pushes of `orderbook`, whole ones and changes (protocol §5).
//
// Rule: it is the book that the server told, exactly, or it is nothing: never a book with a hole in it.

const TRADES_MAX = 50;
const CHECKED_LEVELS = 10;

/** What is held and what was told don't fit; subscribe again. */
export class BookGap extends Error {}

/** The book of one stream. `apply` its pushes in the order in which they come. */
export class BookReplica {
  /** Of the last push applied. */
  seq = 0;
  /** `{asks, bids, trades}` with the best level and the newest trade first; null if not known. */
  view = null;

  /**
   * Take one push in; whether the book is known now. A whole state replaces what was held.
   *
   * Throws BookGap, once, if a change does not follow on what is held, or if the checksum is not
   * that of the result: then nothing is held, and changes are passed over, until a whole state
   * comes, as it does after subscribing again.
   */
  apply(message, envelope) {
    const held = this.view;
    this.view = null;
    let view;
    if (envelope.prev === undefined) {
      view = { ...message.orderBook, trades: message.trades };
    } else if (held === null) {
      return false;
    } else if (envelope.prev !== this.seq) {
      throw new BookGap(`a change after ${envelope.prev} came, the last was ${this.seq}`);
    } else {
      view = changed(held, message);
    }
    if (envelope.checksum !== undefined && checksum(view) !== envelope.checksum) {
      throw new BookGap(`the book at ${envelope.seq} has not the checksum ${envelope.checksum}`);
    }
    this.view = view;
    this.seq = envelope.seq;
    return true;
  }
}

/** CRC-32 (IEEE) of `ticks:lots|ticks:lots…`, the best 10 bids and then the best 10 asks. */
export function checksum(view) {
  const best = [...view.bids.slice(0, CHECKED_LEVELS), ...view.asks.slice(0, CHECKED_LEVELS)];
  return crc32(best.map(({ ticks, lots }) => `${ticks}:${lots}`).join("|"));
}

/** CRC-32 (IEEE) of an ASCII text. */
export function crc32(text) {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    crc = CRC_TABLE[(crc ^ text.charCodeAt(at)) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function changed(held, { orderBook, trades }) {
  return {
    asks: half(held.asks, orderBook.asks, (a, b) => a.ticks - b.ticks),
    bids: half(held.bids, orderBook.bids, (a, b) => b.ticks - a.ticks),
    trades: [...trades, ...held.trades].slice(0, TRADES_MAX),
  };
}

function half(held, changes, bestFirst) {
  if (changes.length === 0) return held;
  const levels = new Map(held.map((level) => [level.ticks, level]));
  for (const level of changes) {
    if (level.lots === 0) levels.delete(level.ticks);
    else levels.set(level.ticks, level);
  }
  return [...levels.values()].sort(bestFirst);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
