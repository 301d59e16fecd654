// The order of paths, and of names, as the library has it: p2 before p10.

function isDigit(character) {
  return character >= "0" && character <= "9";
}

function endsName(character) {
  return character === undefined || character === "/";
}

// Two numbers, each of which begins at `start`: any number of digits, with zeros in front.
function compareNumbers(one, other, start) {
  const [digits, others] = [one, other].map((text) => /^[0-9]+/.exec(text.slice(start))[0]);
  const [value, otherValue] = [digits, others].map((text) => text.replace(/^0+/, ""));
  return value.length - otherValue.length
    || (value < otherValue ? -1 : Number(value > otherValue))
    || digits.length - others.length;
}

export function compareNaturally(one, other) {
  if (one === other) {
    return 0;
  }
  let at = 0;
  while (one[at] === other[at]) {
    at += 1;
  }
  const [a, b] = [one[at], other[at]];
  let start = at;
  while (start > 0 && isDigit(one[start - 1])) {
    start -= 1;
  }
  if ((isDigit(a) || isDigit(b)) && (start < at || (isDigit(a) && isDigit(b)))) {
    return compareNumbers(one, other, start);
  }
  if (endsName(a) || endsName(b)) {
    return Number(endsName(b)) - Number(endsName(a)) || (a === undefined ? -1 : 1);
  }
  if (isDigit(a) !== isDigit(b)) {
    return isDigit(a) ? -1 : 1;
  }
  return a < b ? -1 : 1;
}
