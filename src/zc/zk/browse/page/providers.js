// The providers of a service as a table: one row each, with a column for each property.

import { oddOnesOut } from "./health.js";
import { nameOf } from "./model.js";
import { compareNaturally } from "./order.js";

const MAX_COLUMNS = 12;

export const NAME = "provider";
export const SINCE = "since";

// Columns and rows for the children of a node; a cell has text, what it is sorted by, and marks.
export function providersOf(model, path) {
  const names = new Set();
  const rows = model.children(path).map((each) => {
    const view = model.get(each);
    const cells = new Map([[NAME, { text: nameOf(each), path: each }]]);
    for (const property of view.properties) {
      const key = `=${property.name}`;
      names.add(key);
      cells.set(key, cellOf(property));
    }
    if (view.created) {
      cells.set(SINCE, { text: String(view.created), time: view.created });
    }
    return { path: each, cells };
  });
  markOdd(rows);
  const properties = [...names].sort(compareNaturally);
  const columns = [
    { key: NAME, title: "Provider" },
    ...properties.slice(0, MAX_COLUMNS).map((key) => ({ key, title: key.slice(1) })),
    { key: SINCE, title: "Since" },
  ];
  return { columns, rows, more: Math.max(0, properties.length - MAX_COLUMNS) };
}

function cellOf({ value, link, target, fault, means, is_data: isData }) {
  if (fault) {
    return { text: value, fault };
  }
  return { text: means ?? (isData && value === "''" ? "" : value), target: link && target };
}

function markOdd(rows) {
  const versions = new Map(rows.map((row) => [row.path, row.cells.get("=version")?.text]));
  const odd = new Set(oddOnesOut(versions)?.odd.map((each) => each.path));
  for (const row of rows) {
    const cell = row.cells.get("=version");
    if (cell && odd.has(row.path)) {
      cell.isOdd = true;
    }
  }
}
