// The nodes as the server tells of them.

import { compareNaturally } from "./order.js";

const NONE = Object.freeze([]);

export function parentOf(path) {
  return path === "/" ? null : path.slice(0, path.lastIndexOf("/")) || "/";
}

export function nameOf(path) {
  return path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}

// The paths above a node, from the root down.
export function ancestors(path) {
  const found = [];
  for (let above = parentOf(path); above !== null; above = parentOf(above)) {
    found.unshift(above);
  }
  return found;
}

export class Model {
  constructor() {
    this.clear();
  }

  clear() {
    this.views = new Map();
    this.childSets = new Map();
    this.sorted = new Map();
  }

  get(path) {
    return this.views.get(path);
  }

  // The paths of a node's children, in natural order.
  children(path) {
    if (!this.childSets.has(path)) {
      return NONE;
    }
    if (!this.sorted.has(path)) {
      this.sorted.set(path, [...this.childSets.get(path)].sort(compareNaturally));
    }
    return this.sorted.get(path);
  }

  // The views whose nodes have the text in their path, or in a property.
  * search(text) {
    const wanted = text.toLowerCase();
    for (const path of [...this.views.keys()].sort(compareNaturally)) {
      const view = this.views.get(path);
      const found = view.properties.find(
        (each) => `${each.name} ${each.link ?? "="} ${each.value}`.toLowerCase().includes(wanted));
      if (path.toLowerCase().includes(wanted) || found) {
        yield { path, property: found };
      }
    }
  }

  // Take in what has changed.
  apply(batch) {
    for (const [path, view] of batch) {
      const parent = parentOf(path);
      if (view === null) {
        this.views.delete(path);
        this.childSets.get(parent)?.delete(path);
        this.sorted.delete(parent);
        continue;
      }
      if (!this.views.has(path) && parent !== null) {
        if (!this.childSets.has(parent)) {
          this.childSets.set(parent, new Set());
        }
        this.childSets.get(parent).add(path);
        this.sorted.delete(parent);
      }
      this.views.set(path, view);
    }
  }
}
