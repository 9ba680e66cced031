// The time of day, to the minute, on an element of the page.

/** Keeps `element` showing the time; it changes when the minute does. */
export function showTime(element: HTMLElement): void {
  const show = () => {
    const now = new Date();
    element.textContent = now.toLocaleTimeString(undefined, {
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    setTimeout(show, 60_000 - (now.getSeconds() * 1000 + now.getMilliseconds()) + 20);
  };
  show();
}
