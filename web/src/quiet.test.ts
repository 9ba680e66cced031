import headless from '@xterm/headless';
import { expect, it } from 'vitest';
import { silence } from './quiet.ts';

const QUERIES = [
  '\x1b[c',
  '\x1b[0c',
  '\x1b[>c',
  '\x1b[=c',
  '\x1b[5n',
  '\x1b[6n',
  '\x1b[?6n',
  '\x1b[?996n',
  '\x1b[?2026$p',
  '\x1b[4$p',
  '\x1b[>q',
  '\x1b[x',
  '\x1b[?u',
  '\x1b[14t',
  '\x1b[18t',
  '\x1b[21t',
  '\x1bP$qm\x1b\\',
  '\x1bP+q544e\x1b\\',
  '\x1b]4;1;?\x07',
  '\x1b]10;?\x07',
  '\x1b]11;?\x1b\\',
  '\x1b]12;?\x07',
  '\x1bZ',
  '\x05',
];

async function answers(quiet: boolean): Promise<string> {
  const term = new headless.Terminal({ allowProposedApi: true });
  if (quiet) silence(term.parser as never);
  let said = '';
  term.onData((data) => {
    said += data;
  });
  await new Promise<void>((resolve) => term.write(QUERIES.join(''), resolve));
  return said;
}

it('no query in the output makes the page type', async () => {
  expect(await answers(false)).not.toBe('');
  expect(await answers(true)).toBe('');
});

it('setting a colour still works', async () => {
  const term = new headless.Terminal({ allowProposedApi: true });
  silence(term.parser as never);
  let seen = '';
  // Registered earlier than ours would run later: what it gets is what passed.
  term.parser.registerOscHandler(99, (data) => {
    seen = data;
    return true;
  });
  await new Promise<void>((resolve) => term.write('\x1b]10;#ff0000\x07\x1b]99;ok\x07', resolve));
  expect(seen).toBe('ok');
});
