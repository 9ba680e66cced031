// Input methods: what is being composed is the page's own; only what was committed is typed.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { Server, until } from './server.ts';

let server: Server;
beforeEach(async () => {
  server = await Server.start();
});
afterEach(() => server.stop());

/** An input method, as Chromium's own automation speaks to it. */
async function inputMethod(visitor: Visitor) {
  const line = await visitor.context.newCDPSession(visitor.page);
  return {
    compose: (text: string) =>
      line.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length }),
    commit: (text: string) => line.send('Input.insertText', { text }),
  };
}

it('what an input method composes is shown but not typed before it is committed', async () => {
  await server.open('bytes', ['sh', '-c', 'stty raw -echo; echo READY; exec od -An -tx1 -v -w3']);
  const visitor = await Visitor.enter(browser, server);
  await visitor.sees('READY');
  const method = await inputMethod(visitor);
  for (const step of ['n', 'に', 'にほん', '日本']) await method.compose(step);
  await until('the composition is visible', () =>
    visitor.page.evaluate(
      () => document.querySelector('.pane:not([hidden]) .composition-view.active')?.textContent === '日本',
    ),
  );
  await shot(visitor.page, 'ime-composing');
  await method.commit('日本');
  // Each three bytes of UTF-8, once; the steps before them never arrive.
  await visitor.sees(/e6 97 a5\s+e6 9c ac/);
  await visitor.type('xyz');
  const screen = await visitor.sees('78 79 7a');
  expect(screen.match(/^ .*$/gm)?.map((row) => row.trim())).toEqual(['e6 97 a5', 'e6 9c ac', '78 79 7a']);
  visitor.content();
  await visitor.leave();
});

it('a composition that is given up types nothing', async () => {
  await server.open('bytes', ['sh', '-c', 'stty raw -echo; echo READY; exec od -An -tx1 -v -w1']);
  const visitor = await Visitor.enter(browser, server);
  await visitor.sees('READY');
  const method = await inputMethod(visitor);
  await method.compose('にほん');
  await method.compose('');
  await visitor.type('q');
  const screen = await visitor.sees('71');
  expect(screen).not.toMatch(/e3|81/);
  visitor.content();
  await visitor.leave();
});

it('committed wide characters take two columns each', async () => {
  await server.open('shell', ['sh', '-c', 'stty -icanon; echo READY; exec cat >/dev/null']);
  const visitor = await Visitor.enter(browser, server);
  await visitor.sees('READY');
  const method = await inputMethod(visitor);
  await method.compose('한');
  await method.commit('한국어');
  await visitor.sees('한국어');
  const widths = await visitor.page.evaluate(() => {
    const cell = (text: string) => {
      const spans = [...document.querySelectorAll('.pane:not([hidden]) .xterm-rows span')];
      const found = spans.find((span) => span.textContent?.includes(text));
      return (found?.getBoundingClientRect().width ?? 0) / (found?.textContent?.length ?? 1);
    };
    return { wide: cell('한'), narrow: cell('READY') };
  });
  expect(widths.wide / widths.narrow).toBeCloseTo(2, 1);
  visitor.content();
  await visitor.leave();
});
