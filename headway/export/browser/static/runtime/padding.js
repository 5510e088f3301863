// Rows of different lengths as one rectangle, at least one wide.

export function pad(lines, { type, array, fill }) {
  const width = lines.reduce((most, line) => Math.max(most, line.length), 1);
  const data = new array(lines.length * width).fill(fill);
  lines.forEach((line, row) => data.set(line, row * width));
  return { type, data, dims: [lines.length, width] };
}
