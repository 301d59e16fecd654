// The keys of the tree, as in WAI-ARIA's pattern for trees: the choice follows the focus.

import { visible } from "./elements.js";
import { isLetter, rowAfter, TypeAhead } from "./keys.js";
import { nameOf } from "./model.js";

export class TreeKeys {
  // `choose` is called with the path that a key leads to, `touched` when one opens or closes nodes.
  constructor(outline, { choose, touched }) {
    this.outline = outline;
    this.choose = choose;
    this.touched = touched;
    this.typed = new TypeAhead();
    outline.list.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    const rows = [...this.outline.list.querySelectorAll("[role=treeitem]")].filter(
      (each) => each.offsetParent !== null);
    const place = rows.indexOf(event.target.closest("[role=treeitem]"));
    if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const next = this.rowAfterKey(event, rows, place);
    if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
    }
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
      if (next.dataset.path) {
        this.choose(next.dataset.path);
      }
    }
  }

  // Do what a key says; return the row that it leads to, null for none, undefined for other keys.
  rowAfterKey(event, rows, place) {
    const next = rowAfter(event.key, place, rows.length);
    if (next !== null) {
      return rows[next];
    }
    if (["ArrowUp", "ArrowDown"].includes(event.key)) {
      return null;
    }
    if (["Enter", " "].includes(event.key)) {
      return this.enter(rows[place]);
    }
    if (["ArrowLeft", "ArrowRight"].includes(event.key)) {
      return this.openOrClose(event.key === "ArrowRight", rows[place]);
    }
    if (event.key === "*") {
      this.touched();
      const siblings = rows[place].parentElement.parentElement.querySelectorAll(
        ":scope > li > [aria-expanded=false]");
      siblings.forEach((each) => this.outline.toggle(each.dataset.path, true));
      return null;
    }
    if (event.key !== "/" && isLetter(event)) {
      const names = rows.map((each) => visible(nameOf(each.dataset.path ?? "")));
      return rows[this.typed.rowOf(event.key, names, place)] ?? null;
    }
    return undefined;
  }

  enter(row) {
    if (row.dataset.path === undefined) {
      row.click();
    } else if (row.hasAttribute("aria-expanded")) {
      this.touched();
      this.outline.toggle(row.dataset.path);
    }
    return null;
  }

  openOrClose(isRight, row) {
    const { path } = row.dataset;
    const isOpen = row.getAttribute("aria-expanded") === "true";
    const canOpen = row.hasAttribute("aria-expanded");
    if (isRight ? canOpen && !isOpen : isOpen && canOpen) {
      this.touched();
      this.outline.toggle(path, isRight);
      return null;
    }
    const list = isRight ? row.nextElementSibling : row.parentElement.parentElement.closest("li");
    return list?.querySelector("[role=treeitem]") ?? null;
  }
}
