import { describe, expect, it } from 'vitest';
import golden from '../../tests/golden/frames.json';
import { clampSize, decode, encode, FrameError, type FromViewer, inputs, MAX_INPUT } from './frames.ts';

describe('frames', () => {
  it('reads output and repaint', () => {
    expect(decode(new Uint8Array([2, 0, 0, 0, 0, 0, 0, 1, 0, 104, 105]))).toEqual({
      type: 'output',
      seq: 256,
      bytes: new Uint8Array([104, 105]),
    });
    expect(decode(new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 80, 0, 24, 1, 65]))).toEqual({
      type: 'repaint',
      seq: 9,
      size: { cols: 80, rows: 24 },
      keep: true,
      bytes: new Uint8Array([65]),
    });
  });

  it('tells an absent key from a null one', () => {
    const bytes = new TextEncoder().encode('{"title":null,"bells":3}');
    const frame = decode(new Uint8Array([4, ...bytes]));
    expect(frame).toEqual({ type: 'meta', meta: { title: null, bells: 3 } });
    expect(frame?.type === 'meta' && 'name' in frame.meta).toBe(false);
  });

  it('refuses what is too short and ignores what it does not know', () => {
    for (const bad of [
      [],
      [2],
      [2, 0, 0],
      [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80],
      [6, 1],
      [7, 0],
      [1],
      [4],
      [5, 123],
    ]) {
      expect(() => decode(new Uint8Array(bad)), String(bad)).toThrow(FrameError);
    }
    expect(() => decode(new Uint8Array([1, 2, 123, 125]))).toThrow(/version 2/);
    expect(decode(new Uint8Array([0x33, 1, 2]))).toBeNull();
  });

  it('writes numbers big-endian', () => {
    expect([...encode({ type: 'ack', seq: 2 ** 40 + 5 })]).toEqual([0x44, 0, 0, 1, 0, 0, 0, 0, 5]);
    expect([...encode({ type: 'resize', size: { cols: 300, rows: 2 } })]).toEqual([0x43, 1, 44, 0, 2]);
    expect([...encode({ type: 'request', id: 0x80000001, request: { op: 'reset' } })].slice(0, 5)).toEqual([
      0x47, 0x80, 0, 0, 1,
    ]);
  });

  it('cuts long input at the limit', () => {
    const sizes = (length: number) =>
      [...inputs(new Uint8Array(length))].map((frame) => encode(frame).length - 1);
    expect(sizes(MAX_INPUT)).toEqual([MAX_INPUT]);
    expect(sizes(MAX_INPUT + 1)).toEqual([MAX_INPUT, 1]);
    expect(() => encode({ type: 'input', bytes: new Uint8Array(MAX_INPUT + 1) })).toThrow(FrameError);
  });

  it('clamps sizes as the server does', () => {
    expect(clampSize({ cols: 1, rows: 50 })).toEqual({ cols: 80, rows: 24 });
    expect(clampSize({ cols: 501, rows: 251 })).toEqual({ cols: 500, rows: 250 });
    expect(clampSize({ cols: Number.NaN, rows: 3 })).toEqual({ cols: 80, rows: 24 });
  });
});

/** Objects with their byte strings as hexadecimal, keys sorted: comparable with the golden file. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return value;
}

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('the golden frames, which the Rust twin is held to as well', () => {
  for (const { name, from, hex, decoded } of golden) {
    it(name, () => {
      if (from === 'keeper') {
        const frame = decode(bytesOf(hex)) ?? {};
        const seen = Object.fromEntries(Object.entries(frame).map(([key, value]) => [key, plain(value)]));
        expect(seen).toEqual(decoded);
      } else {
        const wanted: Record<string, unknown> = { ...decoded };
        if (typeof wanted['bytes'] === 'string') wanted['bytes'] = bytesOf(wanted['bytes']);
        const bytes = encode(wanted as unknown as FromViewer);
        // JSON may order its keys differently: compare the head exactly and the rest by meaning.
        expect(meaning(bytes)).toEqual(meaning(bytesOf(hex)));
      }
    });
  }
});

function meaning(bytes: Uint8Array): unknown {
  const brace = bytes.indexOf(0x7b);
  if (brace < 0 || ![0x41, 0x47].includes(bytes[0] ?? 0)) return [...bytes];
  return [[...bytes.subarray(0, brace)], JSON.parse(new TextDecoder().decode(bytes.subarray(brace)))];
}
