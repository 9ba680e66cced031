import { describe, expect, it } from 'vitest';
import {
  BACKOFF_MAX,
  BACKOFF_MIN,
  CLOSE,
  type Effect,
  type Event,
  IDLE,
  type Link,
  OPEN_LIMIT,
  PING_AFTER,
  PONG_LIMIT,
  step,
  TICK,
  words,
} from './connection.ts';

const done = (effects: Effect[]) => effects.map((effect) => effect.do);

function live(now: number): Link {
  const [connecting] = step(IDLE, now, { type: 'start' });
  return step(connecting, now, { type: 'hello' })[0];
}

/** Feeds a tick each second; returns when (if ever) the phase became `phase`, and all effects. */
function run(link: Link, from: number, until: number, phase: Link['phase']) {
  const effects: string[] = [];
  let current = link;
  for (let now = from; now <= until; now += TICK) {
    const [next, more] = step(current, now, { type: 'tick', random: 0.5 });
    current = next;
    effects.push(...done(more));
    if (current.phase === phase) return { at: now, link: current, effects };
  }
  return { at: null, link: current, effects };
}

describe('a link', () => {
  it('opens once when started', () => {
    const [connecting, effects] = step(IDLE, 0, { type: 'start' });
    expect(connecting.phase).toBe('connecting');
    expect(done(effects)).toEqual(['open']);
    expect(step(connecting, 1, { type: 'start' })[1]).toEqual([]);
  });

  it('is live only after Hello', () => {
    const [connecting] = step(IDLE, 0, { type: 'start' });
    expect(step(connecting, 5, { type: 'heard' })[0].phase).toBe('connecting');
    expect(step(connecting, 5, { type: 'hello' })[0].phase).toBe('live');
  });

  it('says it is offline at most ten seconds after the other side fell silent', () => {
    for (const offset of [0, 1, 500, 999]) {
      const { at, effects } = run(live(0), offset, 60_000, 'lost');
      expect(at).not.toBeNull();
      expect(at ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(10_000 + offset);
      expect(effects).toEqual(['ping', 'close']);
    }
    expect(PING_AFTER + PONG_LIMIT + TICK).toBeLessThanOrEqual(10_000);
  });

  it('stays live as long as anything is heard', () => {
    let link = live(0);
    for (let now = 0; now < 120_000; now += TICK) {
      link = step(link, now, { type: 'tick', random: 0 })[0];
      link = step(link, now, { type: 'heard' })[0];
    }
    expect(link.phase).toBe('live');
  });

  it('asks instead of giving up after the laptop slept', () => {
    const [woken, effects] = step(live(0), 3_600_000, { type: 'tick', random: 0 });
    expect(woken.phase).toBe('live');
    expect(done(effects)).toEqual(['ping']);
    expect(run(woken, 3_600_000 + TICK, 3_700_000, 'lost').at).toBe(3_600_000 + PONG_LIMIT);
  });

  it('is not fooled by a clock that is set back', () => {
    let link = live(1_000_000);
    link = step(link, 1_000_000, { type: 'tick', random: 0 })[0];
    const [asked, effects] = step(link, 0, { type: 'tick', random: 0 });
    expect(done(effects)).toEqual(['ping']);
    expect(run(asked, TICK, 60_000, 'lost').at).toBe(PONG_LIMIT);
    const [lost] = step(live(1_000_000), 1_000_000, { type: 'closed', code: 1006, random: 0.9 });
    expect(step(lost, 5, { type: 'tick', random: 0 })[0].phase).toBe('connecting');
  });

  it('tries again at once when the page is seen again or the network returns', () => {
    const [lost] = step(live(0), 0, { type: 'closed', code: 1006, random: 0.99 });
    const [again, effects] = step(lost, 1, { type: 'wake' });
    expect(again.phase).toBe('connecting');
    expect(done(effects)).toEqual(['open']);
    const [asked, ping] = step(live(0), 100, { type: 'wake' });
    expect(done(ping)).toEqual(['ping']);
    expect(step(asked, 200, { type: 'wake' })[1]).toEqual([]);
  });

  it('tries within half a second after a loss, then waits between 1 s and 30 s, spread by chance', () => {
    for (const random of [0, 0.5, 0.999]) {
      let [link] = step(live(0), 0, { type: 'closed', code: 1001, random });
      expect(link.at).toBeLessThanOrEqual(500);
      let now = link.at;
      for (let n = 0; n < 20; n++) {
        [link] = step({ ...link, ticked: now }, now, { type: 'tick', random });
        expect(link.phase).toBe('connecting');
        [link] = step(link, now, { type: 'closed', code: 1006, random });
        expect(link.at - now).toBeGreaterThanOrEqual(BACKOFF_MIN);
        expect(link.at - now).toBeLessThanOrEqual(BACKOFF_MAX);
        now = link.at;
      }
    }
  });

  it('starts counting anew once it was live', () => {
    let [link] = step(live(0), 0, { type: 'closed', code: 1006, random: 0.5 });
    for (let n = 0; n < 8; n++) {
      [link] = step(link, link.at, { type: 'wake' });
      [link] = step(link, link.at, { type: 'closed', code: 1006, random: 0.5 });
    }
    [link] = step(link, 0, { type: 'wake' });
    [link] = step(link, 0, { type: 'hello' });
    expect(link.tries).toBe(0);
  });

  it('gives up on a connection that never opens', () => {
    const [connecting] = step(IDLE, 0, { type: 'start' });
    const { at, effects } = run(connecting, TICK, 60_000, 'lost');
    expect(at).toBe(OPEN_LIMIT);
    expect(effects).toEqual(['close']);
  });

  it('does not come back when the terminal is gone', () => {
    const [gone, effects] = step(live(0), 0, { type: 'closed', code: CLOSE.gone, random: 0 });
    expect(gone.phase).toBe('gone');
    expect(effects).toEqual([]);
    expect(step(gone, 1, { type: 'wake' })[0].phase).toBe('gone');
    expect(run(gone, 0, 100_000, 'connecting').at).toBeNull();
  });

  it('asks whether it is still logged in when a token is refused, and waits for a person if not', () => {
    const [lost, effects] = step(live(0), 0, { type: 'closed', code: CLOSE.token, random: 0 });
    expect(done(effects)).toEqual(['check-login']);
    const [out, close] = step(lost, 1, { type: 'logged-out' });
    expect(out.phase).toBe('logged-out');
    expect(done(close)).toEqual(['close']);
    expect(run(out, 2, 100_000, 'connecting').at).toBeNull();
    expect(step(out, 3, { type: 'logged-in' })[0].phase).toBe('connecting');
  });

  it('does not hammer a terminal that too many watch', () => {
    const [lost] = step(live(0), 0, { type: 'closed', code: CLOSE.crowded, random: 0 });
    expect(lost.at).toBeGreaterThanOrEqual(BACKOFF_MIN);
    expect(words(lost, 0).detail).toContain('too many');
  });

  it('ignores what a closed socket still says', () => {
    const late: Event[] = [{ type: 'hello' }, { type: 'heard' }, { type: 'closed', code: 1006, random: 0 }];
    const [stopped] = step(live(0), 0, { type: 'stop' });
    for (const event of late) expect(step(stopped, 1, event)).toEqual([stopped, []]);
  });
});
