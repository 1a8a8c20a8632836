/**
 * Writes SHA-256, size and number of parameters of the embedded networks into models/catalogue.json.
 * Run after every training: node_modules/.bin/node scripts/refresh-catalogue.ts
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = new URL('../models/', import.meta.url);
const cataloguePath = fileURLToPath(new URL('catalogue.json', folder));
const catalogue = JSON.parse(await readFile(cataloguePath, 'utf8'));
for (const [name, entry] of Object.entries<Record<string, unknown>>(catalogue.models)) {
  const { repository, file } = entry.source as { repository?: string; file: string };
  if (repository !== undefined) continue;
  const content = await readFile(new URL(file, folder));
  entry.sha256 = createHash('sha256').update(content).digest('hex');
  entry.bytes = content.length;
  entry.parameters = countParameters(content);
  process.stdout.write(
    `${name}: ${entry.bytes} bytes, ${entry.parameters} parameters, SHA-256 ${entry.sha256}\n`,
  );
}
await writeFile(cataloguePath, `${JSON.stringify(catalogue, null, 2)}\n`);

/** Elements of all floating-point initializers. ONNX: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.dims = 1, data_type = 2. */
function countParameters(model: Uint8Array): number {
  let count = 0;
  for (const graph of fields(model, 7)) {
    for (const tensor of fields(graph.bytes, 5)) {
      const type = [...fields(tensor.bytes, 2)][0]?.value;
      // 1 float, 10 float16, 11 double, 16 bfloat16; shapes and indices are integers and no parameters.
      if (![1, 10, 11, 16].includes(type ?? 0)) continue;
      let elements = 1;
      for (const dims of fields(tensor.bytes, 1)) {
        for (const dim of dims.value === undefined ? packed(dims.bytes) : [dims.value]) elements *= dim;
      }
      count += elements;
    }
  }
  return count;
}

/** The fields of a Protocol Buffers message with this number: their value if a varint, else their bytes. */
function* fields(message: Uint8Array, wanted: number): Generator<{ value?: number; bytes: Uint8Array }> {
  let at = 0;
  while (at < message.length) {
    const key = varint(message, at);
    const number = Math.floor(key.value / 8);
    const wireType = key.value % 8;
    at = key.next;
    let field: { value?: number; bytes: Uint8Array } = { bytes: new Uint8Array() };
    if (wireType === 0) {
      const { value, next } = varint(message, at);
      field = { value, bytes: field.bytes };
      at = next;
    } else {
      const sized = wireType === 2 ? varint(message, at) : { value: wireType === 1 ? 8 : 4, next: at };
      field = { bytes: message.subarray(sized.next, sized.next + sized.value) };
      at = sized.next + sized.value;
    }
    if (number === wanted) yield field;
  }
}

function* packed(bytes: Uint8Array): Generator<number> {
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = varint(bytes, at);
    yield value;
    at = next;
  }
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * shift;
    if (byte < 128) return { value, next: at };
  }
}
