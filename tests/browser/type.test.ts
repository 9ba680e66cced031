// What is typed can be read: nothing of a letter is cut off, at any type size.
import { expect, it } from 'vitest';
import { browser, Visitor } from './page.ts';
import { until, withServer } from './server.ts';

/** How bright the brightest point of a picture is, from 0 to 255. */
async function brightest(visitor: Visitor, png: Buffer): Promise<number> {
  // A page of its own: the terminal's lets no picture in that isn't its own.
  const canvas = await visitor.context.newPage();
  const found = await canvas.evaluate(
    async (url) => {
      const picture = new Image();
      picture.src = url;
      await picture.decode();
      const { width, height } = picture;
      const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
      context?.drawImage(picture, 0, 0);
      return Math.max(
        ...(context?.getImageData(0, 0, width, height).data.filter((_, at) => at % 4 === 1) ?? []),
      );
    },
    `data:image/png;base64,${png.toString('base64')}`,
  );
  await canvas.close();
  return found;
}

it('an underscore is seen at every type size', () =>
  withServer(async (server) => {
    await server.open();
    const visitor = await Visitor.enter(browser, server, { colorScheme: 'dark' });
    await visitor.run("clear; echo ____; printf '\\033[?25l'");
    await visitor.sees(/^____$/m);
    const row = visitor.page.locator('.pane:not([hidden]) .xterm-rows > div', { hasText: /^____/ }).first();
    const size = () => row.evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
    await visitor.menu('Settings');
    for (let step = 0; step < 4; step++) await visitor.page.getByRole('button', { name: 'Smaller' }).click();
    for (let wanted = 10; wanted <= 18; wanted++) {
      await until(`type of ${wanted} px`, async () => (await size()) === wanted);
      // The picture is of this row alone, and without the dialog's shade over it.
      await visitor.page.evaluate(() => document.querySelector('dialog')?.style.setProperty('opacity', '0'));
      expect(await brightest(visitor, await row.screenshot()), `${wanted} px`).toBeGreaterThan(40);
      await visitor.page.getByRole('button', { name: 'Larger' }).click();
    }
    visitor.content();
    await visitor.leave();
  }));
