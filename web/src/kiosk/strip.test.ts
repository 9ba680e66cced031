import { expect, test } from 'vitest';
import type { ViewerInfo } from '../frames.ts';
import { watchers } from './strip.ts';

const kiosk: ViewerInfo = { viewer: 1, label: 'kiosk', mode: 'type', kiosk: true };
const other = (label: string, mode: ViewerInfo['mode']): ViewerInfo => ({
  viewer: 2,
  label,
  mode,
  kiosk: false,
});

test('whoever stands in front is told who else watches, and whether they can type', () => {
  expect(watchers([kiosk])).toBe(null);
  expect(watchers([kiosk, other('ada', 'view')])).toBe('ada is watching');
  expect(watchers([kiosk, other('ada', 'type')])).toBe('ada is watching and can type');
  expect(watchers([kiosk, other('browser', 'view')])).toBe('Somebody is watching');
  expect(watchers([kiosk, other('command line (/dev/pts/3)', 'view')])).toBe('Somebody is watching');
  expect(watchers([kiosk, other('ada', 'view'), other('eve', 'type')])).toBe(
    '2 people are watching and can type',
  );
  expect(watchers([kiosk, other('\u202eevil', 'view')])).toBe('evil is watching');
});
