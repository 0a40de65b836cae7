// One connection to the venue's raw WebSocket, which comes back by itself.
//
// Rule: whoever subscribed is told everything again, or from where it ended, after every gap.

const PING_EVERY_MS = 3000;
const SILENCE_MS = 5500;
const ANSWER_WITHIN_MS = 10000;
const OPEN_WITHIN_MS = 8000;
const BACKOFF_MS = { first: 300, most: 15000 };
const STEADY_AFTER_MS = 5000;

/** The server said no: `code` and why. */
export class Refused extends Error {
  constructor({ code, reason }) {
    super(reason);
    this.code = code;
  }
}

/** The connection went before the answer came: nobody knows what became of the request. */
export class Unanswered extends Error {}

/**
 * Tells of itself by events: `state` (detail: "connecting", "live", "waiting" with the time of the
 * next try in `retryAt`), `latency` (detail: milliseconds) and `opened`.
 */
export class Stream extends EventTarget {
  #url;
  #socket = null;
  #subscriptions = new Set();
  #byName = new Map();
  #waiting = new Map();
  #nextId = 1;
  #failures = 0;
  #timers = {};
  /** When the server was asked for a sign of life that it still owes; 0 if it owes none. */
  #askedAt = 0;
  state = "connecting";
  retryAt = 0;

  constructor(url) {
    super();
    this.#url = url;
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
  }

  get isLive() {
    return this.state === "live";
  }

  /** Connect, now and for ever after. */
  open() {
    clearTimeout(this.#timers.retry);
    this.#become("connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => this.#closed(socket);
    this.#timers.open = setTimeout(() => this.#giveUp(socket), OPEN_WITHIN_MS);
  }

  /**
   * Read a stream. `onPush(message, envelope)` gets its pushes, `onRefused(error)` why there are none,
   * `onBegin()` is called before the first push of each new connection. With `resumes`, a new
   * connection goes on after the last push, if the server still knows what came since. `prove()`, if
   * given, adds a fresh signature to each request.
   */
  subscribe(event, message, { onPush, onBegin, onRefused, resumes = false, prove }) {
    const key = JSON.stringify([event, message]);
    const subscription = { key, event, message, onPush, onBegin, onRefused, resumes, prove };
    this.#subscriptions.add(subscription);
    if (this.isLive) this.#begin(subscription);
    return {
      /** Ask for the present state again. */
      again: () => this.isLive && this.#begin(subscription),
      end: () => this.#end(subscription),
    };
  }

  /** Ask for something; gives the acknowledgement's message. Throws Refused or Unanswered. */
  request(event, message, onDone = () => {}) {
    if (!this.isLive) return Promise.reject(new Unanswered("not connected"));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () => this.#answer(id, ({ fail }) => fail(new Unanswered("no answer in time")));
      const done = (answer) => {
        onDone(answer); // At once: what the answer is about may come with the very next message.
        resolve(answer);
      };
      this.#waiting.set(id, { done, fail: reject, timer: setTimeout(late, ANSWER_WITHIN_MS) });
      this.#send({ event, message, id });
    });
  }

  #send(request) {
    this.#socket.send(JSON.stringify(request));
  }

  #opened() {
    clearTimeout(this.#timers.open);
    this.#become("live");
    this.#askedAt = 0;
    this.#timers.steady = setTimeout(() => (this.#failures = 0), STEADY_AFTER_MS);
    this.#timers.ping = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.#ping();
    for (const subscription of this.#subscriptions) this.#begin(subscription);
    this.dispatchEvent(new Event("opened"));
  }

  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#timers.ping);
    clearTimeout(this.#timers.steady);
    clearTimeout(this.#timers.open);
    this.#byName.clear();
    for (const id of [...this.#waiting.keys()]) {
      this.#answer(id, ({ fail }) => fail(new Unanswered("the connection was lost")));
    }
    const most = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.#failures++);
    const wait = most * (0.5 + Math.random() / 2);
    this.retryAt = Date.now() + wait;
    this.#timers.retry = setTimeout(() => this.open(), wait);
    this.#become("waiting");
  }

  /** A server that is silent doesn't answer a close either: don't wait for it. */
  #giveUp(socket) {
    socket.close();
    this.#closed(socket);
  }

  #retryNow() {
    if (this.state === "waiting") this.open();
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  async #ping() {
    // Timers of a hidden page are slow: silence counts from a question, not from the last word.
    const sentAt = performance.now();
    this.#askedAt ||= sentAt;
    if (sentAt - this.#askedAt > SILENCE_MS) {
      this.#giveUp(this.#socket);
      return;
    }
    try {
      await this.request("ping", {});
      this.dispatchEvent(new CustomEvent("latency", { detail: performance.now() - sentAt }));
    } catch {
      // The close, or the silence, says it better.
    }
  }

  async #begin(subscription) {
    const { event, message, since, epoch, resumes, prove } = subscription;
    const from = resumes && since !== undefined ? { since, epoch } : {};
    try {
      const proof = prove ? await prove() : {};
      await this.request(event, { ...message, ...from, ...proof }, (ack) => this.#begun(subscription, ack));
    } catch (error) {
      if (error instanceof Refused) subscription.onRefused?.(error);
    }
  }

  #begun(subscription, { stream, epoch }) {
    subscription.name = stream;
    if (!this.#subscriptions.has(subscription)) {
      this.#leave(subscription);
      return;
    }
    this.#byName.set(stream, subscription);
    if (subscription.epoch !== epoch) subscription.since = undefined;
    subscription.epoch = epoch;
    subscription.onBegin?.();
  }

  #end(subscription) {
    this.#subscriptions.delete(subscription);
    if (subscription.name !== undefined) this.#leave(subscription);
  }

  /** Unsubscribe, unless somebody reads the same again. */
  #leave({ key, name }) {
    if ([...this.#subscriptions].some((other) => other.key === key)) return;
    this.#byName.delete(name);
    this.request("unsubscribe", { stream: name }).catch(() => {});
  }

  #receive(push) {
    this.#askedAt = 0;
    switch (push.event) {
      case "ack":
        this.#answer(push.id, ({ done }) => done(push.message));
        break;
      case "pong":
        this.#answer(push.id, ({ done }) => done());
        break;
      case "error":
        this.#answer(push.id, ({ fail }) => fail(new Refused(push.message)));
        break;
      case "notice":
        this.dispatchEvent(new CustomEvent("notice", { detail: push.message }));
        break;
      default:
        this.#pushed(push);
    }
  }

  #answer(id, settle) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    settle(waiting);
  }

  #pushed({ message, ...envelope }) {
    const subscription = this.#byName.get(envelope.stream);
    if (subscription === undefined) return;
    subscription.since = envelope.seq;
    subscription.onPush(message, envelope);
  }
}
