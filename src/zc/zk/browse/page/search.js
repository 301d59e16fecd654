// What is found, in place of the tree.

import { element, nodeLink, plural, visible } from "./elements.js";
import { keepingFocus } from "./focus.js";
import { rowAfter } from "./keys.js";
import { textOf } from "./model.js";

const MAX_SHOWN = 200;
const SLICE = 12; // milliseconds of work, after which the browser may do other things

export class Search {
  constructor(place, input, model) {
    this.place = place;
    this.input = input;
    this.model = model;
    this.run = 0; // the number of the last search; earlier ones give up
    this.text = "";
    this.isBusy = false;
    this.isStale = false;
    this.told = element("p", { className: "empty" });
    this.told.setAttribute("role", "status");
    this.list = element("ul");
    place.replaceChildren(this.told, this.list);
    for (const each of [place, input]) {
      each.addEventListener("keydown", (event) => this.keyPressed(event));
    }
  }

  // Find a text, and show what is found; give up when another search begins.
  async find(text) {
    if (this.isBusy && text === this.text) {
      this.isStale = true; // once more afterwards, as the tree has changed meanwhile
      return;
    }
    const run = this.run += 1;
    this.text = text;
    this.isBusy = true;
    do {
      this.isStale = false;
      await this.walk(text, run);
    } while (this.isStale && run === this.run);
    this.isBusy = run !== this.run;
  }

  async walk(text, run) {
    const found = [];
    let count = 0;
    let until = performance.now() + SLICE;
    for (const each of this.model.search(text)) {
      if (each.isFound) {
        count += 1;
        if (count <= MAX_SHOWN) {
          found.push(each);
        }
      }
      if (performance.now() > until) {
        await new Promise((resume) => setTimeout(resume));
        until = performance.now() + SLICE;
        if (run !== this.run) {
          return;
        }
      }
    }
    this.show(text, found, count);
  }

  end() {
    this.run += 1;
    this.isBusy = false;
    this.told.textContent = "";
    this.list.replaceChildren();
  }

  show(text, found, count) {
    const more = count > MAX_SHOWN ? `, the first ${MAX_SHOWN} of them here` : "";
    const told = `${plural(count, "node")} found${more}`;
    if (told !== this.told.textContent) {
      this.told.textContent = told; // a screen reader says it each time
    }
    keepingFocus(this.list, () => this.list.replaceChildren(
      ...found.map(({ path, property }) => result(path, property, text))));
  }

  get links() {
    return [...this.place.querySelectorAll("li > a")];
  }

  keyPressed(event) {
    const { links } = this;
    const row = links.indexOf(document.activeElement);
    if (event.target === this.input) {
      if (event.key === "ArrowDown" && links.length) {
        event.preventDefault();
        links[0].focus();
      } else if (event.key === "Enter" && links.length) {
        links[0].click();
      }
      return;
    }
    const next = rowAfter(event.key, row, links.length);
    if (next !== null || (event.key === "ArrowUp" && row === 0)) {
      event.preventDefault();
      (links[next] ?? this.input).focus();
    }
  }
}

function result(path, property, text) {
  const link = nodeLink(path, "");
  link.append(...marked(path, text));
  return element("li", {}, link,
    property ? element("code", {}, ...marked(textOf(property).slice(0, 300), text)) : "");
}

// The text with what was looked for marked in it.
function marked(line, text) {
  const [before, found, after] = splitAround(line, text);
  return [visible(before), found ? element("mark", {}, visible(found)) : "", visible(after)];
}

// What is before a text, the text as it is written there, and what is behind, whatever the case.
export function splitAround(line, text) {
  const lower = line.toLowerCase();
  const place = lower.indexOf(text.toLowerCase());
  if (place < 0) {
    return [line, "", ""];
  }
  const start = originalPlace(line, lower, place);
  const end = originalPlace(line, lower, place + text.toLowerCase().length, true);
  return [line.slice(0, start), line.slice(start, end), line.slice(end)];
}

// Where the character is written that is at a place in small letters, which may be more: İ is two
// of them. With `isEnd` it is the end of the character before.
function originalPlace(line, lower, place, isEnd = false) {
  if (lower.length === line.length) {
    return place;
  }
  let passed = 0;
  let start = 0;
  for (const each of line) {
    const size = each.toLowerCase().length;
    if (isEnd ? passed >= place : passed + size > place) {
      break;
    }
    passed += size;
    start += each.length;
  }
  return start;
}
