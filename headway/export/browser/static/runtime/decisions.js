// From probabilities to the label that is answered; see headway/runtime/decisions.py.

// The position of the chosen label for one row of probabilities: the answer of least expected cost (Elkan 2001,
// equation 1), else a threshold's label from its probability on, else the most probable.
export function decide(probabilities, manifest) {
  const { costs, threshold, labels } = manifest;
  if (costs) {
    const expected = labels.map((_, j) => probabilities.reduce((sum, p, i) => sum + p * costs[i][j], 0));
    return best(expected.map((cost) => -cost));
  }
  if (!threshold || labels.length === 1) return best(probabilities);
  const position = labels.findIndex((label) => Object.is(label, threshold[0]));
  if (probabilities[position] >= Math.fround(threshold[1])) return position;
  return best(probabilities.map((p, i) => (i === position ? -1 : p)));
}

function best(values) {
  return values.reduce((top, value, i) => (value > values[top] ? i : top), 0);
}
