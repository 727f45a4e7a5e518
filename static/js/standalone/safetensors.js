// Weights in a safetensors file (https://github.com/huggingface/safetensors#format).

const KINDS = { F32: Float32Array, F64: Float64Array };
const LENGTH_BYTES = 8; // of the length of the header that follows

/** The arrays by name, `{shape, data}`, in the bytes of a file. */
export function readSafetensors(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
  const start = LENGTH_BYTES + length;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
        const own = bytes.slice(start + from, start + to); // a copy, as typed arrays must be aligned
        return [name, { shape, data: new KINDS[dtype](own.buffer) }];
      }),
  );
}
