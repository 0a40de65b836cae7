// Numbers for people, from the wire's whole steps, and back.
//
// Rule: no price, size or sum of money goes through a floating-point number on its way.

/** One step of a price or a size, from its text: "0.25" is 25 units of 2 decimals. */
export function step(text) {
  const [whole, fraction = ""] = text.split(".");
  return { units: BigInt(whole + fraction), decimals: fraction.length };
}

/** So many steps as a decimal: thousands apart, and always as many decimals as the step has. */
export function steps(count, { units, decimals }) {
  return fixed(BigInt(count) * units, decimals);
}

/** Units of so many decimals, thousands apart; of the decimals at least `least` stay if they are zero. */
export function fixed(units, decimals, least = decimals) {
  const sign = units < 0n ? "−" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  let fraction = digits.slice(digits.length - decimals);
  while (fraction.length > least && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** A decimal of the wire with its thousands apart; no more than `most` decimals, the rest cut off. */
export function grouped(text, most = 8) {
  const { units, decimals } = step(text.replace("-", ""));
  const kept = Math.min(decimals, most);
  const sign = text.startsWith("-") ? "−" : "";
  return sign + fixed(units / 10n ** BigInt(decimals - kept), kept, Math.min(kept, 2));
}

/** How many steps a text of people says; throws a sentence that names what is wrong. */
export function parse(text, size, what) {
  const plain = text.trim().replaceAll(",", "");
  if (!/^\d{1,18}(\.\d{0,18})?$/.test(plain)) {
    throw new Error(plain === "" ? `Enter a ${what}.` : `${what} “${text}” is not a number.`);
  }
  const given = step(plain);
  const decimals = Math.max(given.decimals, size.decimals);
  const units = given.units * 10n ** BigInt(decimals - given.decimals);
  const one = size.units * 10n ** BigInt(decimals - size.decimals);
  if (units % one !== 0n) {
    throw new Error(`${what} has to be a multiple of ${fixed(size.units, size.decimals)}.`);
  }
  if (units === 0n) throw new Error(`${what} has to be more than zero.`);
  return units / one;
}

/** A decimal of the wire, such as a balance, in units of 8 decimals. */
export function assetUnits(text) {
  const { units, decimals } = step(text);
  return units * 10n ** BigInt(8 - decimals);
}

/** Steps for drawing only: as near as a pixel needs it. */
export function roughly(count, { units, decimals }) {
  return (Number(count) * Number(units)) / 10 ** decimals;
}

/** A share for people: +1.25 %. */
export function percent(share) {
  const text = Math.abs(share * 100).toFixed(2);
  return `${share < 0 ? "−" : "+"}${text} %`;
}

/** The time of day, UTC, as the chart shows it. */
export function clock(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}
