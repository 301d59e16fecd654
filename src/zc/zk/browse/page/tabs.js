// The views of the page, their addresses, and the tabs that lead to them.

import { rowAfter } from "./keys.js";

// Tabs are side by side, rows one below the other.
const KEYS = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp", Home: "Home", End: "End" };

export const VIEWS = ["tree", "health", "changes", "diagram"];

// The view and the path that an address means: "#/a/b" is a node, "#diagram/a" a part of a picture.
export function routeOf(hash) {
  const [, name, rest] = /^#?([a-z]*)(.*)$/s.exec(hash);
  const view = VIEWS.includes(name) ? name : "tree";
  return { view, path: decoded(name === view ? rest : hash.replace(/^#/, "")) || "/" };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody has typed it
  }
}

export class Tabs {
  // `go` is called with the name of a view whose tab is chosen.
  constructor(list, go) {
    this.buttons = [...list.querySelectorAll("[role=tab]")];
    for (const button of this.buttons) {
      button.addEventListener("click", () => go(nameOf(button)));
    }
    list.addEventListener("keydown", (event) => {
      const next = rowAfter(KEYS[event.key], this.buttons.indexOf(event.target), this.buttons.length);
      if (next !== null) {
        event.preventDefault();
        this.buttons[next].focus();
        go(nameOf(this.buttons[next]));
      }
    });
  }

  show(view) {
    for (const button of this.buttons) {
      const isShown = nameOf(button) === view;
      button.setAttribute("aria-selected", String(isShown));
      button.tabIndex = isShown ? 0 : -1;
      document.getElementById(`${nameOf(button)}-view`).hidden = !isShown;
    }
  }
}

function nameOf(button) {
  return button.id.replace(/^tab-/, "");
}
