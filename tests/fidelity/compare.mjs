// Holds browser terminals without a browser (@xterm/headless) and says how two of them differ.
//
// A request is one line of JSON, followed by `bytes` raw bytes if it names that many; the answer is one line
// of JSON. Requests: {op: "open"|"feed"|"reset"|"resize"|"close"|"compare"|"dump"|"corrupt", …}. See README.md for
// what is compared and which differences are forgiven and why.

import { createRequire } from 'node:module';
import { stdin, stdout } from 'node:process';

const require = createRequire(import.meta.url);
let Terminal, Unicode11Addon;
try {
  ({ Terminal } = require('@xterm/headless'));
  ({ Unicode11Addon } = require('@xterm/addon-unicode11'));
} catch (error) {
  stdout.write(`${JSON.stringify({ error: `node modules are missing (${error.code}); run: cd tests/fidelity && npm ci` })}\n`);
  process.exit(1);
}

// ---- the terminals ----------------------------------------------------------------------------------------

const terminals = new Map();

function open({ name, cols, rows, scrollback }) {
  terminals.get(name)?.terminal.dispose();
  const terminal = new Terminal({
    cols,
    rows,
    scrollback,
    allowProposedApi: true,
    logLevel: 'off',
    // So that titles can be compared; without them one that was pushed never comes back. (The page is told titles apart.)
    windowOptions: { pushTitle: true, popTitle: true },
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  const held = { terminal, palette: new Map(), unfinished: Buffer.alloc(0) };
  eraseUpToTheCorner(terminal);
  terminal._core._inputHandler.onColor((events) => {
    for (const { type, index, color } of events) {
      if (type === 1) held.palette.set(index, color.join());
      else if (type === 2 && index === undefined) for (let i = 0; i < 256; i++) held.palette.delete(i);
      else if (type === 2) held.palette.delete(index);
    }
  });
  terminals.set(name, held);
}

// ED 1 with the cursor in the last column: xterm.js 6.0 takes the flag "continues the row above" from a wrong row, and
// throws if there is no such row, after which it never writes again. The page guards against that too.
function eraseUpToTheCorner(terminal) {
  const core = terminal._core;
  terminal.parser.registerCsiHandler({ final: 'J' }, (params) => {
    const { buffer, cols } = core._bufferService;
    if (params[0] !== 1 || buffer.x + 1 < cols) return false;
    for (let y = 0; y <= buffer.y; y++) core._inputHandler._resetBufferLine(y);
    const next = buffer.lines.get(buffer.ybase + buffer.y + 1);
    if (next) next.isWrapped = false;
    return true;
  });
}

// How many bytes at the end are an unfinished character. They are kept for the next write, as the page does: xterm.js
// 6.0 loses a character that is cut after a byte 0x80 (its decoder takes that for no byte at all).
function unfinishedLength(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) && byte < 0xf8 ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function get(name) {
  const held = terminals.get(name);
  if (!held) throw new Error(`no terminal is called ${name}`);
  return held;
}

// ---- their state ------------------------------------------------------------------------------------------

const FG = { inverse: 0x4000000, bold: 0x8000000, underline: 0x10000000, blink: 0x20000000, invisible: 0x40000000, strike: 0x80000000 };
const BG = { italic: 0x4000000, dim: 0x8000000, extended: 0x10000000, protected: 0x20000000, overline: 0x40000000 };
const COLOUR_MODE = 0x3000000;

// 0: default; p1: palette; #ffffff: direct. Palette 1 is the same colour whether set by SGR 31 or 38;5;1.
function colour(value) {
  switch (value & COLOUR_MODE) {
    case 0x1000000:
    case 0x2000000:
      return `p${value & 0xff}`;
    case 0x3000000:
      return `#${(value & 0xffffff).toString(16).padStart(6, '0')}`;
    default:
      return '-';
  }
}

// xterm.js 6.0 shows links underlined by pretending to have an underline style; this is the one really set.
const underlineStyle = (extended) => (extended._ext >>> 26) & 7;

// SGR 59 stores -1, which reads as white.
const underlineColour = (extended) => ((extended._ext & 0x3ffffff) === 0x3ffffff ? '-' : colour(extended._ext));

const link = (core, urlId) => (urlId ? (core._oscLinkService.getLinkData(urlId)?.uri ?? 'gone').replaceAll(';', '%3b') : '');

function attributes(core, fg, bg, extended, blank) {
  const flags = [];
  for (const [name, bit] of Object.entries(FG)) if (fg & bit && name !== 'underline') flags.push(name);
  for (const [name, bit] of Object.entries(BG)) if (bg & bit && name !== 'extended') flags.push(name);
  let decorated = fg & (FG.inverse | FG.strike) || bg & BG.overline;
  if (fg & FG.underline) {
    const has = bg & BG.extended;
    flags.push(`underline${has ? underlineStyle(extended) || 1 : 1}${has ? underlineColour(extended) : '-'}`);
    decorated = true;
  }
  const uri = bg & BG.extended ? link(core, extended.urlId) : '';
  // Nobody sees the pen a blank was written with, unless it is decorated.
  if (blank && !decorated) return `${colour(bg)} ${uri}`;
  return `${colour(fg)} ${colour(bg)} ${flags.join(',')} ${uri}`;
}

// One row as text and as runs of attributes: "0:- - bold ;5:…".
function row(core, line, cols) {
  let text = '';
  let runs = '';
  let last = null;
  const data = line._data;
  for (let x = 0; x < cols; x++) {
    const content = data[x * 3];
    const fg = data[x * 3 + 1];
    const bg = data[x * 3 + 2];
    const width = content >>> 22;
    const code = content & 0x1fffff;
    const combined = content & 0x200000;
    // A cell never written and a blank look the same; the second half of a wide character is neither (but xterm.js
    // leaves such halves behind where characters are inserted in the middle of a wide one).
    const half = width === 0 && !combined && !code && x > 0 && data[x * 3 - 3] >>> 22 === 2;
    if (half) text += '\u2407';
    // A combining mark with nothing to join stands alone in a cell, or on a blank.
    else text += combined ? line._combined[x].replace(/^ (?=.)/u, '') : code ? String.fromCodePoint(code) : ' ';
    const blank = !combined && (code === 0 || code === 32);
    const now = fg === 0 && bg === 0 ? (blank ? '- ' : '- -  ') : attributes(core, fg, bg, line._extendedAttrs[x], blank);
    if (now !== last) {
      runs += `${x}:${now};`;
      last = now;
    }
  }
  return { text, runs };
}

function buffer(core, held, cols, rows) {
  const texts = [];
  const runs = [];
  const wraps = [];
  for (let y = 0; y < held.lines.length; y++) {
    const line = held.lines.get(y);
    const one = row(core, line, cols);
    texts.push(one.text);
    runs.push(one.runs);
    wraps.push(line.isWrapped);
  }
  return { texts, runs, wraps, base: held.ybase, rows };
}

const charset = (set) => (set ? (set.q ? 'graphics' : set['#'] ? 'british' : Object.entries(set).join('')) : 'ascii');

function saved(core, held) {
  const pen = held.savedCurAttrData;
  // Its row is left out: xterm.js counts it from the top of the scrollback, so that it moves up when lines scroll.
  return {
    x: Math.min(held.savedX || 0, held._cols - 1), // where it is restored to
    pen: attributes(core, pen.fg & ~FG.underline, pen.bg & ~BG.extended, pen.extended, false) + Boolean(pen.fg & FG.underline),
    charset: charset(held.savedCharset),
  };
}

function state({ terminal, palette, unfinished }) {
  const core = terminal._core;
  const { cols, rows } = terminal;
  const { active, normal, alt } = core._bufferService.buffers;
  const service = core.coreService;
  const modes = service.decPrivateModes;
  const options = core.optionsService.rawOptions;
  const handler = core._inputHandler;
  const charsets = core._charsetService;
  const pen = handler._curAttrData;
  const tabs = [];
  for (let x = 0; x < cols; x++) if (active.tabs[x]) tabs.push(x);
  const parser = handler._parser;
  return {
    cols,
    rows,
    alternate: active === alt,
    screen: buffer(core, active, cols, rows),
    hidden: active === alt ? buffer(core, normal, cols, rows) : null,
    fields: {
      size: `${cols}x${rows}`,
      alternate: active === alt,
      cursor: `${active.x},${active.y}`,
      'cursor visible': !service.isCursorHidden,
      // DECSCUSR wins over DECSET 12, which wins over the page's own choice.
      'cursor style': `${modes.cursorStyle ?? options.cursorStyle} ${modes.cursorBlink ?? options.cursorBlink}`,
      pen: `${attributes(core, pen.fg, pen.bg, pen.extended, false)}`,
      'pen underline colour': underlineColour(pen.extended),
      'pen link': link(core, pen.extended.urlId),
      'saved cursor': saved(core, active),
      'hidden saved cursor': active === alt ? saved(core, normal) : '',
      modes: {
        applicationCursorKeys: modes.applicationCursorKeys,
        applicationKeypad: modes.applicationKeypad,
        bracketedPaste: modes.bracketedPasteMode,
        origin: modes.origin,
        reverseWraparound: modes.reverseWraparound,
        sendFocus: modes.sendFocus,
        wraparound: modes.wraparound,
        insert: service.modes.insertMode,
        newLine: options.convertEol,
      },
      synchronized: modes.synchronizedOutput,
      mouse: `${core.coreMouseService.activeProtocol} ${core.coreMouseService.activeEncoding}`,
      margins: `${active.scrollTop}-${active.scrollBottom}`,
      'hidden margins': active === alt ? `${normal.scrollTop}-${normal.scrollBottom}` : '',
      tabs: tabs.join(),
      charsets: [charsets.glevel, ...[0, 1, 2, 3].map((g) => charset(charsets._charsets[g]))],
      'active charset': charset(charsets.charset),
      title: handler._windowTitle,
      'title stack': handler._windowTitleStack.join('\n'),
      palette: [...palette].sort(([a], [b]) => a - b).map(([i, c]) => `${i}=${c}`).join(' '),
      parser: `state ${parser.currentState} utf8 ${unfinished.toString('hex')}`,
      joins: Boolean(parser.precedingJoinState),
    },
  };
}

// ---- their differences ------------------------------------------------------------------------------------

const MOST = 2; // differences told per field

// xterm.js forgets the address of a link when the row it began on is erased, which is another row for a viewer that was
// repainted meanwhile. A forgotten link equals any other.
function same(expected, got) {
  if (expected === got) return true;
  if (!/\bgone\b/.test(`${expected} ${got}`)) return false;
  const without = (text) => text.replace(/\bgone\b|\b[a-z]+:[^;]+/g, '');
  return without(String(expected)) === without(String(got));
}

function rows(found, what, a, b, scrollback) {
  const differ = (field, y, one, other) => {
    if (found.filter((difference) => difference.field === field).length < MOST) found.push({ field, where: `row ${y}`, expected: one, got: other });
  };
  // Rows count from the top of the screen, those of the scrollback are negative.
  const lines = (from, to, field) => {
    for (let y = from; y < to; y++) {
      const one = a.base + y;
      const other = b.base + y;
      if (a.texts[one] !== b.texts[other]) differ(field === 'screen' ? `${what}text` : 'scrollback text', y, a.texts[one], b.texts[other]);
      if (!same(a.runs[one], b.runs[other])) differ(field === 'screen' ? `${what}attributes` : 'scrollback attributes', y, a.runs[one], b.runs[other]);
      // The oldest row kept has nothing before it to be joined to.
      if (a.wraps[one] !== b.wraps[other] && one > 0 && other > 0) differ(field === 'screen' ? `${what}wraps` : 'scrollback wraps', y, a.wraps[one], b.wraps[other]);
    }
  };
  lines(0, a.rows, 'screen');
  if (scrollback === undefined) return;
  const [expected, got] = [a.base, b.base].map((base) => Math.min(base, scrollback));
  if (expected !== got) found.push({ field: 'scrollback length', where: '', expected, got });
  lines(-Math.min(expected, got), 0, 'scrollback');
}

function compare(one, other, { ignore = [], scrollback }) {
  const found = [];
  const a = state(one);
  const b = state(other);
  for (const field of Object.keys(a.fields)) {
    const [expected, got] = [a.fields[field], b.fields[field]].map((value) => (typeof value === 'object' ? JSON.stringify(value) : value));
    if (!same(expected, got)) found.push({ field, where: '', expected, got });
  }
  if (a.fields.size === b.fields.size && a.alternate === b.alternate) {
    rows(found, '', a.screen, b.screen, a.alternate ? undefined : scrollback);
    if (a.hidden) rows(found, 'hidden ', a.hidden, b.hidden, scrollback);
  }
  return found.filter(({ field }) => !ignore.includes(field));
}

// ---- requests ---------------------------------------------------------------------------------------------

const handlers = {
  open(request) {
    open(request);
    return {};
  },
  feed({ name }, bytes) {
    const held = get(name);
    const all = Buffer.concat([held.unfinished, bytes]);
    const whole = all.length - unfinishedLength(all);
    held.unfinished = all.subarray(whole);
    // Large writes are cut by xterm.js itself; none of the parsers is asynchronous.
    if (whole) held.terminal._core.writeSync(new Uint8Array(all.subarray(0, whole)));
    return {};
  },
  // What the page does before it paints a full repaint: it ends what is unfinished (CAN) and sends RIS. xterm.js
  // keeps title, palette, the cursor's visibility and mode 20 through this, so the repaint itself has to set them.
  reset({ name }) {
    get(name).unfinished = Buffer.alloc(0);
    get(name).terminal._core.writeSync(Uint8Array.of(0x18, 0x1b, 0x63));
    return {};
  },
  resize({ name, cols, rows }) {
    get(name).terminal.resize(cols, rows);
    return {};
  },
  close({ name }) {
    get(name).terminal.dispose();
    terminals.delete(name);
    return {};
  },
  compare(request) {
    return { differences: compare(get(request.a), get(request.b), request) };
  },
  dump({ name }) {
    return { state: state(get(name)) };
  },
};

let input = Buffer.alloc(0);
let wanted = null;
stdin.on('data', (chunk) => {
  input = input.length ? Buffer.concat([input, chunk]) : chunk;
  for (;;) {
    if (!wanted) {
      const end = input.indexOf(10);
      if (end < 0) return;
      wanted = JSON.parse(input.subarray(0, end));
      input = input.subarray(end + 1);
    }
    const length = wanted.bytes ?? 0;
    if (input.length < length) return;
    const bytes = input.subarray(0, length);
    input = input.subarray(length);
    const request = wanted;
    wanted = null;
    let answer;
    try {
      answer = handlers[request.op](request, bytes);
    } catch (error) {
      answer = { error: String(error?.stack ?? error) };
    }
    stdout.write(`${JSON.stringify(answer)}\n`);
  }
});
stdin.on('end', () => process.exit(0));
