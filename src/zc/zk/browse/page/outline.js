// The tree: rows that open and close.

import { addressOf, element, plural, visible } from "./elements.js";
import { ancestors, nameOf, parentOf, PROVIDERS } from "./model.js";
import { badges, linkList } from "./rows.js";

export const PAGE = 300; // children that are shown at first, and more at a time

export class Outline {
  // `touched` is called when somebody opens or closes a node.
  constructor(list, model, touched) {
    this.list = list;
    this.model = model;
    this.touched = touched;
    this.items = new Map();
    this.open = new Set(["/"]);
    this.shown = new Map();
    this.selected = null;
    this.stop = null; // the row that the tab key comes to
    list.addEventListener("click", (event) => this.clicked(event));
    list.addEventListener("focusin", (event) => this.stopAt(event.target.closest("[role=treeitem]")));
  }

  // Show what the model has now; `changed` are the paths that may look different.
  update(changed) {
    const lists = new Set();
    for (const path of changed) {
      const parent = parentOf(path);
      if (parent === null || this.isVisible(parent)) {
        lists.add(parent);
      }
      if (this.items.has(path) && this.model.get(path)) {
        this.fill(path, true);
      }
      // A row says how many providers there are below it, also one that is closed.
      if (nameOf(path) === PROVIDERS && this.items.has(parent) && this.model.get(parent)) {
        this.fill(parent, false);
      }
    }
    for (const parent of lists) {
      this.arrange(parent);
    }
  }

  clear() {
    this.items.clear();
    this.stop = null;
    this.list.replaceChildren();
  }

  // Open all that is above a node, select it, and move it into sight; false if it is not there.
  reveal(path) {
    const way = [...ancestors(path), path];
    if (!way.every((each) => this.model.get(each)) || !this.items.has("/")) {
      return false;
    }
    way.slice(0, -1).forEach((above, depth) => {
      const place = this.model.children(above).indexOf(way[depth + 1]);
      const isFurther = place >= (this.shown.get(above) ?? PAGE);
      if (isFurther) {
        this.shown.set(above, place + 1);
      }
      if (isFurther || !this.open.has(above) || !this.items.has(way[depth + 1])) {
        this.toggle(above, true);
      }
    });
    const former = this.selected;
    this.selected = path;
    for (const each of [former, path].filter((each) => this.items.has(each))) {
      this.mark(each);
    }
    this.stopAt(this.items.get(path).row);
    this.items.get(path).row.scrollIntoView({ block: "nearest" });
    return true;
  }

  focus(path) {
    this.items.get(path)?.row.focus({ preventScroll: true });
  }

  isVisible(path) {
    return this.items.has(path) && this.open.has(path);
  }

  // Let the list of children below `parent`, the whole tree for null, be what it should be.
  arrange(parent) {
    const paths = parent === null ? ["/"].filter((path) => this.model.get(path))
      : this.model.children(parent);
    const list = parent === null ? this.list : this.items.get(parent).list;
    const most = this.shown.get(parent) ?? PAGE;
    const wanted = paths.slice(0, most).map((path) => this.item(path));
    const left = paths.length - most;
    if (left > 0) {
      wanted.push(this.more(parent, left, list));
    }
    const kept = new Set(wanted);
    for (const item of [...list.children]) {
      if (!kept.has(item)) {
        this.forget(item);
        item.remove();
      }
    }
    wanted.forEach((item, place) => {
      if (list.children[place] !== item) {
        list.insertBefore(item, list.children[place] ?? null);
      }
      item.firstElementChild.setAttribute("aria-posinset", place + 1);
      item.firstElementChild.setAttribute("aria-setsize", paths.length);
    });
    for (const path of paths.slice(0, most)) {
      if (this.open.has(path) && !this.items.get(path).arranged) {
        this.items.get(path).arranged = true;
        this.arrange(path);
      }
    }
  }

  item(path) {
    if (!this.items.has(path)) {
      // The item is named by what is in its row, and not by all that is below it.
      const row = rowElement("row", ancestors(path).length + 1);
      const list = element("ul");
      list.setAttribute("role", "group");
      const item = element("li", {}, row, list);
      item.setAttribute("role", "none");
      item.dataset.path = row.dataset.path = path;
      this.items.set(path, { item, row, list, arranged: false });
      this.fill(path, false);
      if (this.stop === null || path === this.selected) {
        this.stopAt(row);
      }
    }
    return this.items.get(path).item;
  }

  forget(item) {
    for (const each of [item, ...item.querySelectorAll("li")]) {
      if (this.items.get(each.dataset.path)?.item === each) {
        this.items.delete(each.dataset.path);
      }
      if (this.stop?.parentElement === each) {
        this.stop = null;
        this.stopAt(this.items.get("/")?.row ?? null);
      }
    }
  }

  // The row behind the last child that is shown; the same one as long as there is one.
  more(parent, left, list) {
    const text = plural(left, "more node");
    const former = list.querySelector(":scope > .rest");
    if (former) {
      former.firstElementChild.textContent = text;
      return former;
    }
    const row = rowElement("more", ancestors(parent).length + 2);
    row.append(text);
    const item = element("li", { className: "rest" }, row);
    item.setAttribute("role", "none");
    item.addEventListener("click", (event) => {
      event.stopPropagation();
      const place = this.shown.get(parent) ?? PAGE;
      this.shown.set(parent, place + PAGE);
      this.touched();
      this.arrange(parent);
      this.focus(this.model.children(parent)[place]);
    });
    return item;
  }

  // What a row says of its node.
  fill(path, hasChanged) {
    const view = this.model.get(path);
    const { row, list } = this.items.get(path);
    const isOpen = this.open.has(path);
    const links = linkList(view);
    const canOpen = view.children > 0 || links !== null;
    const toggle = element("span", { className: "toggle" }, canOpen ? (isOpen ? "▾" : "▸") : "");
    toggle.ariaHidden = "true";
    const link = element("a", { href: addressOf(path), className: "name", tabIndex: -1 },
      visible(nameOf(path)));
    const hadFocus = row.contains(document.activeElement);
    row.replaceChildren(toggle, link, ...badges(this.model, path), (isOpen && links) || "");
    if (hadFocus) {
      row.focus({ preventScroll: true });
    }
    list.hidden = !isOpen;
    if (canOpen) {
      row.setAttribute("aria-expanded", String(isOpen));
    } else {
      row.removeAttribute("aria-expanded");
    }
    this.mark(path);
    row.classList.toggle("faulty", view.fault !== null);
    if (hasChanged) {
      row.classList.remove("changed");
      void row.offsetWidth; // or the browser would not begin the animation anew
      row.classList.add("changed");
    }
  }

  // Show whether a node is the selected one.
  mark(path) {
    const { row } = this.items.get(path);
    row.setAttribute("aria-selected", String(path === this.selected));
    row.classList.toggle("selected", path === this.selected);
  }

  // Have the tab key come to this row, and to no other.
  stopAt(row) {
    if (row !== this.stop) {
      this.stop?.setAttribute("tabindex", "-1");
      row?.setAttribute("tabindex", "0");
      this.stop = row;
    }
  }

  toggle(path, isOpen = !this.open.has(path)) {
    this.open[isOpen ? "add" : "delete"](path);
    if (!this.items.has(path)) {
      return;
    }
    this.fill(path, false);
    if (isOpen) {
      this.items.get(path).arranged = true;
      this.arrange(path);
    }
  }

  clicked(event) {
    const item = event.target.closest("li[data-path]");
    if (item && event.target.classList.contains("toggle")) {
      this.touched();
      this.toggle(item.dataset.path);
    } else if (item && event.target.closest(".row") && event.target.tagName !== "A") {
      location.hash = addressOf(item.dataset.path);
    }
  }
}

function rowElement(className, level) {
  const row = element("div", { className, tabIndex: -1 });
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", level);
  return row;
}
