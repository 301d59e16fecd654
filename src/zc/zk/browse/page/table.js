// Tables that are sorted by the column that one clicks.

import { ageOf, element, nodeLink, plural, visible } from "./elements.js";
import { keepingFocus } from "./focus.js";
import { compareNaturally } from "./order.js";

const PAGE = 200; // rows that are shown at first, and more at a time
const NUMBER = /^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/;

// Numbers by value and before all texts, which have their natural order.
export function compareValues(one, other) {
  const [isNumber, isOtherNumber] = [one, other].map((text) => NUMBER.test(text));
  if (isNumber !== isOtherNumber) {
    return isNumber ? -1 : 1;
  }
  return (isNumber && Number(one) - Number(other)) || compareNaturally(one, other);
}

// Rows in the order of a column; those without a value come last, whichever way it goes.
export function sortedRows(rows, { key, isDescending }) {
  const direction = isDescending ? -1 : 1;
  const textOf = (row) => row.cells.get(key)?.text || null;
  return [...rows].sort((one, other) => {
    const [text, otherText] = [textOf(one), textOf(other)];
    if (text === null || otherText === null) {
      return Number(text === null) - Number(otherText === null)
        || compareNaturally(one.path, other.path);
    }
    return direction * compareValues(text, otherText) || compareNaturally(one.path, other.path);
  });
}

// A table that remembers how it is sorted, and how much of it is shown, while its rows change.
export class Table {
  constructor(caption, key) {
    this.caption = caption;
    this.element = element("div", { className: "table" });
    this.sort = { key, isDescending: false };
    this.shown = PAGE;
    this.content = { columns: [], rows: [], more: 0 };
  }

  show(content) {
    this.content = content;
    const { columns, rows, more } = content;
    const sorted = sortedRows(rows, this.sort);
    const table = element("table", {},
      element("caption", {}, this.caption),
      element("thead", {}, element("tr", {}, ...columns.map((each) => this.heading(each)))),
      element("tbody", {}, ...sorted.slice(0, this.shown).map((row) => this.row(row, columns))));
    const scroller = element("div", { className: "scroller", tabIndex: 0 }, table);
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", this.caption);
    const left = rows.length - this.shown;
    const { scrollLeft } = this.element.firstElementChild ?? {};
    keepingFocus(this.element, () => this.element.replaceChildren(scroller,
      more ? element("p", { className: "empty" }, `${plural(more, "more property", "more properties")}`
        + " are not shown: choose a provider.") : "",
      left > 0 ? this.moreButton(left) : ""));
    scroller.scrollLeft = scrollLeft ?? 0;
  }

  heading({ key, title }) {
    const isSorted = this.sort.key === key;
    const button = element("button", { type: "button" }, visible(title),
      element("span", { className: "direction", ariaHidden: "true" },
        isSorted ? (this.sort.isDescending ? "▼" : "▲") : ""));
    button.dataset.key = key;
    button.addEventListener("click", () => {
      this.sort = { key, isDescending: isSorted && !this.sort.isDescending };
      this.show(this.content);
    });
    const cell = element("th", { scope: "col" }, button);
    if (isSorted) {
      cell.setAttribute("aria-sort", this.sort.isDescending ? "descending" : "ascending");
    }
    return cell;
  }

  row(row, columns) {
    return element("tr", {}, ...columns.map(({ key }) => {
      const cell = row.cells.get(key);
      return element("td", { className: cell?.isOdd ? "odd" : "" }, ...cell ? contentOf(cell) : []);
    }));
  }

  moreButton(left) {
    const button = element("button", { type: "button", className: "more" },
      plural(left, "more row"));
    button.dataset.key = "more rows";
    button.addEventListener("click", () => {
      this.shown += PAGE;
      this.show(this.content);
    });
    return button;
  }
}

function contentOf({ text, path, target, fault, time, links, more }) {
  if (path) {
    return [nodeLink(path, text)];
  }
  if (fault) {
    return [element("span", { className: "broken path", title: fault }, visible(text))];
  }
  if (time) {
    return [ageOf(time)];
  }
  if (links) {
    return [...links.flatMap((each, place) => [place ? ", " : "", nodeLink(each)]),
      more ? `, and ${more} more` : ""];
  }
  return [target ? nodeLink(target, text) : element("code", {}, visible(text))];
}
