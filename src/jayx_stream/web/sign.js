// Signatures as the protocol wants them (§9): base64 of HMAC-SHA256 under the key's secret.

const bytes = (text) => new TextEncoder().encode(text);

/** Signs for one key. The secret stays in the browser's own key store, out of reach even of this page. */
export class Signer {
  #key;
  #offsetMs;

  constructor(key, offsetMs) {
    this.#key = key;
    this.#offsetMs = offsetMs;
  }

  /** Throws a sentence for people if this browser can't sign here. */
  static async of(secret) {
    if (!globalThis.crypto?.subtle) {
      throw new Error("Signing needs https, or the server on this machine (localhost).");
    }
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
    return new Signer(key, await clockOffsetMs());
  }

  /** `timestamp` and `sign` over METHOD and path of a stream's event, such as `login`. */
  async prove(event) {
    const timestamp = String(Math.round(Date.now() + this.#offsetMs));
    const signed = await crypto.subtle.sign("HMAC", this.#key, bytes(`${timestamp}GET/stream/${event}`));
    return { timestamp, sign: btoa(String.fromCharCode(...new Uint8Array(signed))) };
  }
}

/** How far the server's clock is before this machine's. */
async function clockOffsetMs() {
  const askedAt = Date.now();
  const { data } = await (await fetch("/api/v1/public/time", { cache: "no-store" })).json();
  return data.time - (askedAt + Date.now()) / 2;
}
