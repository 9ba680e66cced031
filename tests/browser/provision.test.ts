// The kiosk's screen says what is wrong with the files on the card, and works all the same.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { withServer } from './server.ts';

it('a mistake on the card is shown with its line over a terminal that works', () =>
  withServer(async (server) => {
    const folder = join(server.folder, 'gatepost-provision');
    await mkdir(folder);
    const text =
      'gatepost.toml:14:12: wifi.networks.Office.password: a passphrase has 8 to 63 <b>ASCII</b> characters';
    const report = {
      applied: false,
      lines: [
        { wrong: true, text },
        { wrong: false, text: 'only a note' },
      ],
    };
    await writeFile(join(folder, 'status.json'), JSON.stringify(report));
    await server.cli('terminal', 'open', '--name', 'kiosk', '--', 'sh', '-c', 'echo ready; exec sh');
    const kiosk = await Visitor.enter(browser, server, { url: await server.cli('url', '--kiosk') });
    const notice = kiosk.page.locator('.notice.error');
    await notice.waitFor();
    expect(await notice.locator('span').textContent()).toBe(`Not taken over from the card: ${text}`);
    expect(await kiosk.page.locator('.notice').count()).toBe(1);
    await kiosk.sees('ready');
    await kiosk.run('echo $((40+2)) goes on');
    await kiosk.sees('42 goes on');
    await shot(kiosk.page, 'provision-mistake');
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    await kiosk.leave();
  }));
