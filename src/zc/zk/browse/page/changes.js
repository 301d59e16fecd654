// What has changed lately, as the server remembers it.

import { element, nodeLink, plural, visible } from "./elements.js";

const MAX_CHANGES = 500;
const LABELS = {
  added: "added", removed: "gone", changed: "changed", replaced: "made anew",
  lost: "connection lost", back: "connected again",
};

// The changes that are known, the last one first.
export class Changes {
  constructor() {
    this.clear();
  }

  clear() {
    this.list = [];
    this.number = 0;
  }

  add(changes) {
    const fresh = changes.filter(({ number }) => number > this.number);
    this.number = fresh.at(-1)?.number ?? this.number;
    this.list = [...fresh.reverse(), ...this.list].slice(0, MAX_CHANGES);
  }

  latest(count) {
    return this.list.slice(0, count);
  }
}

export function labelOf(change) {
  return LABELS[change.kind] ?? change.kind;
}

// What there is to say of a change besides its node, in words.
export function remarkOf({ count, below, ephemeral, details, more }) {
  const parts = [];
  if (count) {
    parts.push(`${plural(count, "node")} below it`);
  }
  if (below) {
    parts.push(`with ${plural(below, "node")} below it`);
  }
  if (ephemeral) {
    parts.push("ephemeral");
  }
  for (const [name, former, present] of details ?? []) {
    parts.push(name === "" ? present ?? "can be read again" : difference(name, former, present));
  }
  if (more) {
    parts.push(`and ${plural(more, "more property", "more properties")}`);
  }
  return parts.join(", ");
}

function difference(name, former, present) {
  const sign = /(->|=>)$/.test(name) ? "" : " =";
  if (former === null) {
    return `${name}${sign} ${present} (new)`;
  }
  return present === null ? `no ${name} any more` : `${name}${sign} ${present} (was ${former})`;
}

export function changesList(changes) {
  if (!changes.length) {
    return element("p", { className: "empty" }, "Nothing has changed since zookeeper_browse began.");
  }
  return element("ol", { className: "changes" }, ...changes.map(item));
}

function item(change) {
  const kind = element("span", { className: `kind ${change.kind}` }, labelOf(change));
  const remark = remarkOf(change);
  return element("li", {}, timeOf(change.time), kind,
    element("span", { className: "what" }, change.path ? nodeLink(change.path) : "",
      remark ? element("span", { className: "remark" }, visible(remark)) : ""));
}

// The time of day, with the day if that is not today.
function timeOf(milliseconds) {
  const time = new Date(milliseconds);
  const isToday = time.toDateString() === new Date().toDateString();
  const text = isToday ? time.toLocaleTimeString() : time.toLocaleString();
  const made = element("time", { title: time.toLocaleString() }, text);
  made.dateTime = time.toISOString();
  return made;
}
