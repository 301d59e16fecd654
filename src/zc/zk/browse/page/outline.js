// The tree: rows that open and close.

import { addressOf, ageOf, element, nodeLink, plural, visible } from "./elements.js";
import { ancestors, nameOf, parentOf } from "./model.js";

const PAGE = 300; // children that are shown at first, and more at a time

export class Outline {
  constructor(list, model) {
    this.list = list;
    this.model = model;
    this.items = new Map();
    this.open = new Set(["/"]);
    this.shown = new Map();
    this.selected = null;
    list.addEventListener("click", (event) => this.clicked(event));
    list.addEventListener("keydown", (event) => this.keyPressed(event));
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
        if (nameOf(path) === "providers" && this.items.has(parent)) {
          this.fill(parent, false);
        }
      }
    }
    for (const parent of lists) {
      this.arrange(parent);
    }
  }

  clear() {
    this.items.clear();
    this.list.replaceChildren();
  }

  // Open all that is above a node, select it, and move it into sight; false if it is not there.
  reveal(path) {
    if (!this.model.get(path)) {
      return false;
    }
    const way = [...ancestors(path), path];
    way.slice(0, -1).forEach((above, depth) => {
      const place = this.model.children(above).indexOf(way[depth + 1]);
      this.shown.set(above, Math.max(this.shown.get(above) ?? PAGE, place + 1));
      this.toggle(above, true);
    });
    const former = this.selected;
    this.selected = path;
    for (const each of [former, path].filter((each) => this.items.has(each))) {
      this.fill(each, false);
    }
    this.items.get(path).row.scrollIntoView({ block: "nearest" });
    return true;
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
      wanted.push(this.more(parent, left));
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
      const row = element("div", { className: "row" });
      const list = element("ul");
      list.setAttribute("role", "group");
      const item = element("li", {}, row, list);
      item.setAttribute("role", "treeitem");
      item.dataset.path = path;
      this.items.set(path, { item, row, list, arranged: false });
      this.fill(path, false);
    }
    return this.items.get(path).item;
  }

  forget(item) {
    for (const each of [item, ...item.querySelectorAll("li")]) {
      if (this.items.get(each.dataset.path)?.item === each) {
        this.items.delete(each.dataset.path);
      }
    }
  }

  more(parent, left) {
    const button = element("button", { className: "more" }, `${plural(left, "more node")}`);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      this.shown.set(parent, (this.shown.get(parent) ?? PAGE) + PAGE);
      this.arrange(parent);
    });
    return element("li", { className: "rest" }, button);
  }

  // What a row says of its node.
  fill(path, hasChanged) {
    const view = this.model.get(path);
    const { item, row, list } = this.items.get(path);
    const isOpen = this.open.has(path);
    const links = view.properties.filter((each) => each.link === "->");
    const canOpen = view.children > 0 || links.length > 0;
    const toggle = element("span", { className: "toggle" }, canOpen ? (isOpen ? "▾" : "▸") : "");
    toggle.ariaHidden = "true";
    const link = element("a", { href: addressOf(path), className: "name" },
      visible(nameOf(path)));
    link.tabIndex = path === (this.selected ?? "/") ? 0 : -1;
    const hadFocus = row.contains(document.activeElement);
    row.replaceChildren(toggle, link, ...this.badges(path, view));
    if (hadFocus) {
      link.focus();
    }
    list.hidden = !isOpen;
    item.querySelector(":scope > .links")?.remove();
    if (isOpen && links.length) {
      row.after(element("ul", { className: "links" }, ...links.map((each) => this.link(each))));
    }
    if (canOpen) {
      item.setAttribute("aria-expanded", String(isOpen));
    } else {
      item.removeAttribute("aria-expanded");
    }
    item.setAttribute("aria-selected", String(path === this.selected));
    row.classList.toggle("selected", path === this.selected);
    row.classList.toggle("faulty", view.fault !== null);
    if (hasChanged) {
      row.classList.remove("changed");
      void row.offsetWidth; // or the browser would not begin the animation anew
      row.classList.add("changed");
    }
  }

  badges(path, view) {
    const badges = [];
    if (view.type) {
      badges.push(element("span", { className: "type" }, visible(view.type)));
    }
    const providers = this.model.get(`${path === "/" ? "" : path}/providers`);
    if (providers) {
      const count = providers.children;
      const text = count ? plural(count, "provider") : "no providers";
      badges.push(element("span", { className: count ? "pill alive" : "pill dead" }, text));
    }
    if (view.owner) {
      const pill = element("span", { className: "pill ephemeral" }, "ephemeral, ",
        ageOf(view.created));
      pill.title = `session ${view.owner}`;
      badges.push(pill);
    }
    if (view.fault) {
      badges.push(element("span", { className: "pill dead" }, view.fault));
    }
    if (view.hidden) {
      badges.push(element("span", { className: "pill" }, `${plural(view.hidden, "node")} not shown`));
    }
    return badges;
  }

  link(property) {
    const target = property.target
      ? nodeLink(property.target, property.value)
      : element("span", { className: "broken path", title: property.fault },
        visible(property.value));
    const name = element("span", { className: "name" }, visible(property.name));
    return element("li", {}, name, " → ", target);
  }

  toggle(path, isOpen = !this.open.has(path)) {
    this.open[isOpen ? "add" : "delete"](path);
    this.fill(path, false);
    if (isOpen) {
      this.items.get(path).arranged = true;
      this.arrange(path);
    }
  }

  clicked(event) {
    const item = event.target.closest("li[data-path]");
    if (item && event.target.classList.contains("toggle")) {
      this.toggle(item.dataset.path);
    } else if (item && event.target.closest(".row") && event.target.tagName !== "A") {
      location.hash = addressOf(item.dataset.path);
    }
  }

  keyPressed(event) {
    const path = this.selected;
    if (!this.items.has(path)) {
      return;
    }
    const rows = [...this.list.querySelectorAll("li[data-path]")].filter(
      (each) => each.offsetParent !== null);
    const place = rows.indexOf(this.items.get(path).item);
    const isOpen = this.open.has(path);
    let next = null;
    if (event.key === "ArrowDown") {
      next = rows[place + 1]?.dataset.path;
    } else if (event.key === "ArrowUp") {
      next = rows[place - 1]?.dataset.path;
    } else if (event.key === "ArrowRight" && !isOpen) {
      this.toggle(path, true);
    } else if (event.key === "ArrowRight") {
      next = this.model.children(path)[0];
    } else if (event.key === "ArrowLeft" && isOpen && this.model.children(path).length) {
      this.toggle(path, false);
    } else if (event.key === "ArrowLeft") {
      next = parentOf(path);
    } else {
      return;
    }
    event.preventDefault();
    if (next) {
      location.hash = addressOf(next);
      this.items.get(next)?.row.querySelector(".name").focus();
    }
  }
}
