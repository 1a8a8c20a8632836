/** An ONNX model of one matrix product, written as bytes: what the machine's peak is measured with. */

/** `c = a × b` of square float32 matrices, `b` a constant as weights are. The field numbers are those of onnx.proto. */
export function matrixProduct(side: number): Uint8Array {
  const values = new Uint8Array(new Float32Array(side * side).fill(0.5).buffer);
  const constant = message([1, side], [1, side], [2, 1], [8, 'b'], [9, values]);
  const shape = message([1, message([1, side])], [1, message([1, side])]);
  const matrix = (name: string): Uint8Array =>
    message([1, name], [2, message([1, message([1, 1], [2, shape])])]);
  const node = message([1, 'a'], [1, 'b'], [2, 'c'], [4, 'MatMul']);
  const graph = message([1, node], [2, 'product'], [5, constant], [11, matrix('a')], [12, matrix('c')]);
  return message([1, 8], [7, graph], [8, message([1, ''], [2, 13])]);
}

/** A protocol buffer message: numbers as varints, texts and messages with their lengths. */
function message(...fields: readonly [number: number, value: number | string | Uint8Array][]): Uint8Array {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
    }),
  );
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Uint8Array.of(...bytes, rest);
    bytes.push((rest & 127) | 128);
  }
}
