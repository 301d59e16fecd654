// Keys that walk through rows: from a row to another one.

const PAUSE = 700; // milliseconds, after which letters begin another word

// The row that a key leads to; null for keys that lead nowhere.
export function rowAfter(key, row, count) {
  const rows = new Map([
    ["ArrowDown", row + 1], ["ArrowUp", row - 1], ["Home", 0], ["End", count - 1],
  ]);
  const next = rows.get(key) ?? -1;
  return next < 0 || next >= count ? null : next;
}

// Letters that are typed one soon after the other are the beginning of a name.
export class TypeAhead {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.text = "";
    this.at = -Infinity;
  }

  // The row of the name that is meant, or null. The same letter again means the next such name.
  rowOf(letter, names, row) {
    const isLater = this.now() - this.at > PAUSE;
    this.text = (isLater ? "" : this.text) + letter.toLowerCase();
    this.at = this.now();
    const isOneLetter = [...this.text].every((each) => each === this.text[0]);
    const wanted = isOneLetter ? this.text[0] : this.text;
    for (let step = isOneLetter ? 1 : 0; step <= names.length; step += 1) {
      const place = (row + step + names.length) % names.length;
      if (names[place].toLowerCase().startsWith(wanted)) {
        return place;
      }
    }
    return null;
  }
}

export function isLetter(event) {
  return [...event.key].length === 1 && event.key !== " "
    && !(event.ctrlKey || event.metaKey || event.altKey);
}
