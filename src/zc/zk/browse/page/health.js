// What is wrong in the tree: services without providers, links that lead nowhere, providers of
// another version than the others, nodes that cannot be read. Kept up to date by what changes.

import { childOf, nameOf, parentOf, PROVIDERS } from "./model.js";
import { compareNaturally } from "./order.js";

const VERSION = "version";
const NO_VERSION = "none";

export class Health {
  constructor(model) {
    this.model = model;
    this.clear();
  }

  clear() {
    this.services = new Map(); // path: the number of its providers
    this.providers = 0;
    this.odd = new Map(); // service: what oddOnesOut says of it
    this.broken = new Map(); // path: properties that are links which lead nowhere
    this.unreadable = new Map(); // path: the reason
  }

  update(changed) {
    const services = new Set();
    for (const path of changed) {
      this.look(path);
      const parent = parentOf(path);
      if (parent !== null && nameOf(path) === PROVIDERS) {
        services.add(parent);
      }
      if (parent !== null && nameOf(parent) === PROVIDERS && parent !== "/") {
        services.add(parentOf(parent));
      }
    }
    for (const service of services) {
      this.judge(service);
    }
  }

  // The findings in natural order, and how many there are.
  get findings() {
    const inOrder = (paths) => [...paths].sort(compareNaturally);
    const empty = inOrder([...this.services].filter(([, count]) => !count).map(([path]) => path));
    const of = (map) => inOrder(map.keys()).map((path) => ({ path, what: map.get(path) }));
    return { empty, broken: of(this.broken), odd: of(this.odd), unreadable: of(this.unreadable) };
  }

  get count() {
    let empty = 0;
    for (const count of this.services.values()) {
      empty += count ? 0 : 1;
    }
    return empty + this.broken.size + this.odd.size + this.unreadable.size;
  }

  look(path) {
    const view = this.model.get(path);
    const broken = (view?.properties ?? []).filter((each) => each.link && each.fault);
    set(this.broken, path, broken.length ? broken : undefined);
    set(this.unreadable, path, view?.fault ?? undefined);
  }

  judge(service) {
    const path = childOf(service, PROVIDERS);
    const view = this.model.get(path);
    this.providers -= this.services.get(service) ?? 0;
    set(this.services, service, view?.children);
    this.providers += view?.children ?? 0;
    const versions = new Map();
    for (const provider of view ? this.model.children(path) : []) {
      versions.set(provider, versionOf(this.model.get(provider)));
    }
    set(this.odd, service, oddOnesOut(versions) ?? undefined);
  }
}

// Given versions by provider: the usual one, those of others, and how often there is each version;
// null if all have the same. Without a version that most have, none is usual and all are odd.
export function oddOnesOut(versions) {
  const counts = new Map();
  for (const version of versions.values()) {
    counts.set(version, (counts.get(version) ?? 0) + 1);
  }
  if (counts.size < 2) {
    return null;
  }
  const ranking = [...counts].sort(([one, count], [other, otherCount]) =>
    otherCount - count || compareNaturally(one ?? "", other ?? ""));
  const isClear = ranking[0][1] > ranking[1][1];
  const usual = isClear ? ranking[0][0] ?? NO_VERSION : null;
  const odd = [...versions].filter(([, version]) => !isClear || version !== ranking[0][0]);
  return {
    usual,
    odd: odd.map(([path, version]) => ({ path, version: version ?? NO_VERSION }))
      .sort((one, other) => compareNaturally(one.path, other.path)),
    counts: ranking.map(([version, count]) => ({ version: version ?? NO_VERSION, count })),
  };
}

function versionOf(view) {
  const property = view?.properties.find((each) => each.name === VERSION && each.link !== "->");
  return property?.means ?? property?.value;
}

function set(map, key, value) {
  if (value === undefined) {
    map.delete(key);
  } else {
    map.set(key, value);
  }
}
