import { describe, expect, it } from 'vitest';
import { isPassword, labelOf, purpose, vouched } from './login.ts';
import { ago, browserName } from './logins.ts';

describe('prompts on the way in', () => {
  const prompt = (text: string, echo = false) => ({ text, echo });

  it('are labels without their colon', () => {
    expect(labelOf(prompt('Password: '))).toBe('Password');
    expect(labelOf(prompt('Verification code:', true))).toBe('Verification code');
    expect(labelOf(prompt(' '))).toBe('Password');
  });

  it('tell password managers what they are for', () => {
    expect(purpose(prompt('Password: '))).toBe('current-password');
    expect(purpose(prompt('(current) UNIX password: '))).toBe('current-password');
    expect(purpose(prompt('New password: '))).toBe('new-password');
    expect(purpose(prompt('Retype new password: '))).toBe('new-password');
    expect(purpose(prompt('One-time code: '))).toBe('one-time-code');
    expect(purpose(prompt('Favourite colour: ', true))).toBe('off');
  });

  it('are answered by the password typed beside the name only when it is what they want', () => {
    expect(isPassword([prompt('Password: ')])).toBe(true);
    expect(isPassword([prompt('One-time code: ')])).toBe(false);
    expect(isPassword([prompt('Password: '), prompt('Code: ')])).toBe(false);
    expect(isPassword([prompt('Name: ', true)])).toBe(false);
    expect(isPassword([])).toBe(false);
  });
});

describe('what another application vouches with', () => {
  const of = (fragment: string) => vouched(new URLSearchParams(fragment));

  it('is a token or an object in the fragment', () => {
    expect(of('terminal=x')).toBeNull();
    expect(of('wstoken=wstoken00')).toEqual({ token: 'wstoken00' });
    expect(of(`auth=${encodeURIComponent('{"upn":"a b"}')}`)).toEqual({ object: { upn: 'a b' } });
    expect(of('auth=nonsense')).toEqual({ object: {} });
  });
});

describe('where am I logged in', () => {
  it('calls browsers what people call them', () => {
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
    expect(browserName(chrome)).toBe('Chrome on Linux');
    expect(
      browserName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1'),
    ).toBe('Safari on iOS');
    expect(browserName('')).toBe('A program');
    expect(browserName('curl/8.0')).toBe('curl/8.0');
  });

  it('says how long ago', () => {
    expect(ago(1000, 1059)).toBe('just now');
    expect(ago(1000, 1060)).toBe('1 minute ago');
    expect(ago(0, 7200)).toBe('2 hours ago');
    expect(ago(0, 86400 * 3)).toBe('3 days ago');
    expect(ago(2000, 1000)).toBe('just now');
  });
});
