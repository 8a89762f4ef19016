// A layer as a matrix: the banded (Toeplitz) matrix that maps input to output, and im2col.
import { isPool, outputSize, tapsOf } from "./geometry.mjs";

/**
 * The matrix of a layer: {rows, columns, entries}; an entry is {row, column, taps: [[a, b], ...]}.
 *
 * Row r is output cell r in row-major order, column c input cell c. An entry has several taps where
 * a padding mode makes the window read the same input twice.
 */
export function layerMatrix(layer) {
  const out = outputSize(layer);
  const width = layer.axes[1].size;
  const entries = [];
  for (let row = 0; row < out[0] * out[1]; row++) {
    const found = new Map();
    for (const { source, tap } of tapsOf(layer, [Math.floor(row / out[1]), row % out[1]])) {
      if (!source) continue;
      const column = source[0] * width + source[1];
      found.set(column, [...(found.get(column) ?? []), tap]);
    }
    for (const [column, taps] of found) entries.push({ row, column, taps });
  }
  return { rows: out[0] * out[1], columns: layer.axes[0].size * width, entries };
}

/** The weight of an entry: the sum over its taps; for a pool how often the cell is read. */
export const entryWeight = (layer, entry, weight) => (isPool(layer.op) ? entry.taps.length
  : entry.taps.reduce((sum, [a, b]) => sum + weight[a][b], 0));

/** im2col: one row per output cell, one column per tap; an entry is the input cell, or null. */
export function imageToColumns(layer) {
  const out = outputSize(layer);
  const rows = [];
  for (let row = 0; row < out[0]; row++) {
    for (let column = 0; column < out[1]; column++) {
      rows.push(tapsOf(layer, [row, column]).map(({ source, tap }) => ({ source, tap })));
    }
  }
  return rows;
}
