// Tabs, names, pasting, searching, colours, the clipboard, links: what makes the page pleasant.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { browser, Visitor } from './page.ts';
import { Server, until, withServer } from './server.ts';

let server: Server;
beforeEach(async () => {
  server = await Server.start();
});
afterEach(() => server.stop());

/** Hands text to the page as the browser's own paste does. */
async function paste(visitor: Visitor, text: string): Promise<void> {
  await visitor.page.evaluate((pasted) => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    document
      .querySelector('.pane:not([hidden]) textarea')
      ?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

it('terminals are tabs: opened, walked, named and closed', async () => {
  await server.open('first');
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('echo in-first');
  await visitor.sees(/^in-first$/m);
  await visitor.page.keyboard.press('Control+Alt+n');
  await until('two tabs', async () => (await visitor.tabs()).length === 2);
  expect(await visitor.screen()).not.toContain('in-first');
  await visitor.page.keyboard.press('Control+Alt+ArrowLeft');
  await visitor.sees('in-first');

  // A program's title shows until a person gives a name; emptied, the title is back.
  await server.open('titled', [
    'bash',
    '--norc',
    '--noprofile',
    '-c',
    'printf "\\033]0;from the program\\007"; exec cat',
  ]);
  await until('the third tab', async () => (await visitor.tabs()).includes('titled'));
  await visitor.page.locator('.tab .choose', { hasText: 'titled' }).dblclick();
  await visitor.page.locator('dialog input').fill('');
  await visitor.page.keyboard.press('Enter');
  await until('the program’s title', async () => (await visitor.tabs()).includes('from the program'));
  await visitor.page.keyboard.press('Control+Alt+r');
  await visitor.page.locator('dialog input').fill('mine');
  await visitor.page.keyboard.press('Enter');
  await until('the given name', async () => (await visitor.tabs()).includes('mine'));
  expect(await visitor.page.title()).toContain('mine');

  // Closing what runs asks first.
  await visitor.page.keyboard.press('Control+Alt+w');
  await visitor.page.getByRole('button', { name: 'Cancel' }).click();
  expect(await visitor.tabs()).toContain('mine');
  await visitor.page.keyboard.press('Control+Alt+w');
  await visitor.page.getByRole('button', { name: 'Close it' }).click();
  await until('it is gone', async () => !(await visitor.tabs()).includes('mine'));
  visitor.content();
  await visitor.leave();
});

it('all terminals at a glance are live, and one is chosen by a click', async () => {
  const ids = [await server.open('one'), await server.open('two'), await server.open('three')];
  const visitor = await Visitor.enter(browser, server);
  await visitor.page.keyboard.press('Control+Alt+g');
  await visitor.page.waitForSelector('.stage.overview');
  for (const [index, id] of ids.entries())
    await server.cli('terminal', 'send', id, `echo live-$((${index}+1))\n`);
  for (const text of ['live-1', 'live-2', 'live-3']) await visitor.sees(text);
  await visitor.page.getByRole('button', { name: 'Show two' }).click();
  await visitor.page.waitForSelector('.stage:not(.overview)');
  await visitor.sees('live-2');
  expect(await visitor.screen()).not.toContain('live-3');
  visitor.content();
  await visitor.leave();
});

it('a paste of several lines into a program that knows no pastes is asked about first', async () => {
  await server.open('plain', ['cat']);
  const visitor = await Visitor.enter(browser, server);
  await paste(visitor, 'line one\nline two\x1b[201~\n');
  const dialog = visitor.page.locator('dialog');
  await dialog.locator('.pasted', { hasText: 'line two' }).waitFor();
  expect(await visitor.screen()).not.toContain('line one');
  await visitor.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await visitor.screen()).not.toContain('line one');
  await paste(visitor, 'line three\nline four\n');
  await visitor.page.getByRole('button', { name: 'Paste', exact: true }).click();
  await visitor.sees(/(line four[\s\S]*){2}/);
  // One line needs no question.
  await paste(visitor, 'simple');
  await visitor.sees('simple');
  visitor.content();
  await visitor.leave();
});

it('a shell that knows pastes gets them bracketed, without a question and without running', async () => {
  await server.open('shell');
  const visitor = await Visitor.enter(browser, server);
  await visitor.run("bind 'set enable-bracketed-paste on'; echo ready$((1))");
  await visitor.sees('ready1');
  await paste(visitor, 'echo pas$((1))ted\necho twice$((2))\n');
  await visitor.sees('echo twice$((2))');
  expect(await visitor.screen()).not.toContain('pas1ted');
  await visitor.page.keyboard.press('Enter');
  await visitor.sees('pas1ted');
  await visitor.leave();
});

it('the whole scrollback is searched, and a match is gone to', async () => {
  await server.open('log');
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('for i in $(seq 1 3000); do echo "line $i of the log"; done');
  await visitor.sees('line 3000 of');
  await visitor.page.keyboard.press('Control+Alt+f');
  await visitor.page.locator('.search input[type=search]').fill('line 17 of');
  await visitor.page.locator('.matches li', { hasText: 'line 17 of the log' }).waitFor();
  await visitor.sees(/^line 17 of the log$/m);
  await visitor.page.locator('.search input[type=search]').fill('no such thing');
  await visitor.page.locator('.search .hint', { hasText: 'Nothing found' }).waitFor();
  await visitor.page.keyboard.press('Escape');
  // A key returns to the newest output.
  await visitor.run('echo back$((1))');
  await visitor.sees('back1');
  visitor.content();
  await visitor.leave();
});

it('a view that is scrolled up is not moved by new output', async () => {
  const id = await server.open('log');
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('seq 1 500');
  await visitor.sees(/^500$/m);
  await visitor.page.keyboard.press('Shift+PageUp');
  await visitor.page.locator('.newer').waitFor();
  const before = await until('the scrolled view', async () => {
    const screen = await visitor.screen();
    return !/^500$/m.test(screen) && screen;
  });
  await server.cli('terminal', 'send', id, 'seq 501 520; echo done$((1))\n');
  await server.cli('terminal', 'wait', id, '--for', 'done1');
  expect(await visitor.screen()).toBe(before);
  await visitor.page.locator('.newer').click();
  await visitor.sees('done1');
  await visitor.leave();
});

it('colours can be chosen and are kept', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server, { colorScheme: 'dark' });
  const ground = () => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const seen = new Set([await ground()]);
  await visitor.menu('Settings');
  for (const theme of ['light', 'solarized-dark', 'solarized-light', 'high-contrast']) {
    await visitor.page.locator('select[name=theme]').selectOption(theme);
    seen.add(await ground());
  }
  expect(seen.size).toBe(5);
  expect(await ground()).toBe('rgb(0, 0, 0)');
  await visitor.page.getByRole('button', { name: 'Larger' }).click();
  await visitor.page.getByRole('button', { name: 'Done' }).click();
  await visitor.page.reload();
  await visitor.live();
  expect(await ground()).toBe('rgb(0, 0, 0)');
  visitor.content();
  await visitor.leave();
  // And in another browser of the same person.
  const other = await Visitor.enter(browser, server, { colorScheme: 'dark' });
  await until('the colours chosen before', () =>
    other.page.evaluate(() => getComputedStyle(document.body).backgroundColor === 'rgb(0, 0, 0)'),
  );
  other.content();
  await other.leave();
});

it('a program may put text on the clipboard, but never read it', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await visitor.run("printf '\\033]52;c;%s\\a' $(printf 'from a program' | base64)");
  await visitor.notice('put 14 characters on the clipboard');
  expect(await visitor.page.evaluate(() => navigator.clipboard.readText())).toBe('from a program');
  // tmux leaves the target out.
  await visitor.run("printf '\\033]52;;%s\\a' $(printf 'from tmux' | base64)");
  await visitor.notice('put 9 characters on the clipboard');
  await visitor.run("clear; printf '\\033]52;c;?\\a'; echo asked$((1))");
  const screen = await visitor.sees('asked1');
  expect(screen).not.toMatch(/52;|ZnJv/);
  visitor.content();
  await visitor.leave();
});

it('Ctrl-C copies a selection and interrupts without one', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await visitor.run('clear; echo WORD; sleep 1000');
  await visitor.sees(/^WORD$/m);
  const { x, y } = await visitor.point('WORD', 1);
  await visitor.page.mouse.dblclick(x, y);
  await visitor.page.keyboard.press('Control+c');
  await until(
    'the copy',
    async () => (await visitor.page.evaluate(() => navigator.clipboard.readText())) === 'WORD',
  );
  expect(await visitor.screen()).not.toContain('^C');
  await visitor.page.keyboard.press('Control+c');
  await visitor.sees('^C');
  await visitor.leave();
});

it('links open with Ctrl-click only, and only http and https', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  const target = `${server.origin}/health`;
  await visitor.run(`clear; echo ${target}`);
  await visitor.sees(new RegExp(`^${target}$`, 'm'));
  const { x, y } = await visitor.point(target, 5);
  const { mouse, keyboard } = visitor.page;
  await mouse.move(x, y);
  // xterm.js looks for links when the mouse moves, and answers later.
  await visitor.page.waitForSelector('.xterm-cursor-pointer');
  await mouse.click(x, y);
  await visitor.notice('Ctrl-click opens the link');
  expect(visitor.context.pages()).toHaveLength(1);
  const opened = visitor.context.waitForEvent('page');
  await keyboard.down('Control');
  await mouse.click(x, y);
  await keyboard.up('Control');
  const page = await opened;
  await page.waitForURL(target);
  expect(await page.evaluate(() => window.opener)).toBeNull();
  await visitor.leave();
});

it('a bell marks the tab nobody looks at, and a watch tells of activity', async () => {
  await server.open('front');
  const other = await server.open('other');
  const visitor = await Visitor.enter(browser, server);
  await visitor.page.locator('.tab .choose', { hasText: 'front' }).click();
  await server.cli('terminal', 'send', other, "printf '\\a'\n");
  await visitor.page.locator('.tab', { hasText: 'other' }).locator('.dot.bell').waitFor();
  await until('the title says so', async () => (await visitor.page.title()).startsWith('●'));
  await visitor.page.locator('.tab .choose', { hasText: 'other' }).click();
  await visitor.page
    .locator('.tab', { hasText: 'other' })
    .locator('.dot.bell')
    .waitFor({ state: 'detached' });
  await visitor.menu('Tell me when it gets active');
  await visitor.page.locator('.tab .choose', { hasText: 'front' }).click();
  await server.cli('terminal', 'send', other, 'echo hello\n');
  await visitor.notice('other is active');
  visitor.content();
  await visitor.leave();
});

it('a garbled screen can be rescued, and its text saved', async () => {
  await server.open('garbled');
  const visitor = await Visitor.enter(browser, server);
  await visitor.run("echo written; printf '\\033(0\\033[?1000h'");
  await visitor.sees('written');
  await visitor.menu('Rescue');
  await visitor.run('echo readable$((1))');
  await visitor.sees('readable1');
  const saved = visitor.page.waitForEvent('download');
  await visitor.menu('Save its text');
  const download = await saved;
  expect(download.suggestedFilename()).toMatch(/\.txt$/);
  const stream = await download.createReadStream();
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  expect(text).toContain('readable1');
  await visitor.leave();
});

it('where more than one thing may be opened, a tile is chosen, by mouse or by keyboard', () =>
  withServer(
    async (several) => {
      const visitor = await Visitor.enter(browser, several);
      // Nobody asked for the first: it is the shell.
      await until('the first', async () => (await visitor.tabs()).length === 1);
      const tiles = visitor.page.getByRole('dialog').locator('.tiles button');
      await visitor.page.keyboard.press('Control+Alt+n');
      await until('three tiles', async () => (await tiles.count()) === 3);
      expect(await tiles.locator('b').allTextContents()).toEqual(['Shell', 'echoes', 'sleeps']);
      await visitor.page.keyboard.press('ArrowDown');
      await visitor.page.keyboard.press('Enter');
      await until('its tab', async () => (await visitor.tabs()).includes('echoes'));
      await visitor.sees('ready');
      await visitor.run('said to cat');
      await visitor.sees('said to cat\nsaid to cat');
      await visitor.page.getByRole('button', { name: /^Open a terminal/ }).click();
      await tiles.filter({ hasText: 'Nothing happens' }).click();
      await until('the other tab', async () => (await visitor.tabs()).includes('sleeps'));
      // Thinking better of it opens nothing.
      await visitor.page.keyboard.press('Control+Alt+n');
      await tiles.first().waitFor();
      await visitor.page.keyboard.press('Escape');
      await tiles.first().waitFor({ state: 'detached' });
      expect(await visitor.tabs()).toHaveLength(3);
      visitor.content();
      await visitor.leave();
    },
    [
      ...['--set', 'terminal.commands.echoes.command=sh,-c,echo ready; exec cat'],
      ...['--set', 'terminal.commands.sleeps.command=sleep,1000'],
      ...['--set', 'terminal.commands.sleeps.description=Nothing happens'],
    ],
  ));

it('what is known of a terminal is on one sheet, from which it gets a name', async () => {
  await server.open('known', ['cat']);
  const visitor = await Visitor.enter(browser, server);
  await visitor.menu('About it');
  const sheet = visitor.page.getByRole('dialog');
  for (const text of ['known', 'cat', 'decided by this screen', 'this page alone', / ms$/])
    await sheet.locator('td', { hasText: text }).first().waitFor();
  await sheet.getByRole('button', { name: 'Rename…' }).click();
  await visitor.page.locator('dialog input').fill('renamed');
  await visitor.page.keyboard.press('Enter');
  await until('its new name', async () => (await visitor.tabs()).includes('renamed'));
  visitor.content();
  await visitor.leave();
});

it('help is reached and left by keyboard', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.page.keyboard.press('Shift+F1');
  await visitor.page.locator('dialog', { hasText: 'Ctrl-Alt-N' }).waitFor();
  await visitor.page.keyboard.press('Escape');
  await visitor.page.locator('dialog').waitFor({ state: 'detached' });
  await visitor.run('echo focused$((1))');
  await visitor.sees('focused1');
  visitor.content();
  await visitor.leave();
});

it('a screen reader gets the rows as text', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.menu('Settings');
  await visitor.page.getByLabel('Screen reader').check();
  await visitor.page.getByRole('button', { name: 'Done' }).click();
  await visitor.run('echo spoken$((1))');
  await visitor.page
    .locator('.xterm-accessibility-tree', { hasText: 'spoken1' })
    .waitFor({ state: 'attached' });
  visitor.content();
  await visitor.leave();
});
