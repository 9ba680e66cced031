import { expect, test } from 'vitest';
import { countries, fieldOf } from './words.ts';

test('a mistake is shown at the field it is about', () => {
  expect(fieldOf('wifi.networks.Office.password')).toBe('passphrase');
  expect(fieldOf('wifi.networks.password')).toBe('passphrase');
  expect(fieldOf('wifi.networks.a.b.security')).toBe('ssid');
  expect(fieldOf('admin.name')).toBe('name');
  expect(fieldOf('kiosk.command')).toBe(null);
});

test('countries are two letters and have names', () => {
  const all = countries();
  expect(all.length).toBeGreaterThan(50);
  for (const [code, name] of all) {
    expect(code).toMatch(/^[A-Z]{2}$/);
    expect(name).not.toBe(code);
  }
});
