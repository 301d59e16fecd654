// Elements with text in them: the only way in which anything gets into the document.

const SVG = "http://www.w3.org/2000/svg";

// An element with properties, and content: elements, or text, which stays text.
export function element(name, properties = {}, ...content) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content.filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

export function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  if (text) {
    made.textContent = text;
  }
  return made;
}

// A link within the page, to a node.
export function nodeLink(path, text = path) {
  return element("a", { href: addressOf(path), className: "path" }, visible(text));
}

// The text with characters that cannot be seen, or turn the direction of others, as escapes: with
// them a name could look like another one.
export function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

export function addressOf(path, view = "#") {
  return view + path.split("/").map(encodeURIComponent).join("/");
}

export function plural(count, thing, things = `${thing}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? thing : things}`;
}

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

// How long ago, in words: the clock is that of this machine, the time may be another one's.
export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor((Date.now() - milliseconds) / 1000));
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, "second"];
  return plural(Math.floor(seconds / size), unit);
}

// An element that tells an age, and goes on to be right.
export function ageOf(milliseconds) {
  const made = element("time", { className: "age" }, age(milliseconds));
  made.dateTime = new Date(milliseconds).toISOString();
  made.title = new Date(milliseconds).toLocaleString();
  return made;
}

export function refreshAges() {
  for (const each of document.querySelectorAll("time.age")) {
    const text = age(Date.parse(each.dateTime));
    if (each.textContent !== text) {
      each.textContent = text;
    }
  }
}
