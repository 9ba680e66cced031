// The pointer on the kiosk's screen: hidden, or hidden while it rests.

/** How long a pointer that rests is seen, in ms. */
const REST = 2000;

/** Hides the pointer, or hides it while it rests. */
export function point(when: string | null): void {
  const { classList } = document.documentElement;
  const hide = () => classList.add('no-pointer');
  if (when === 'never') hide();
  if (when !== 'idle') return;
  let timer = setTimeout(hide, 0);
  addEventListener('pointermove', () => {
    classList.remove('no-pointer');
    clearTimeout(timer);
    timer = setTimeout(hide, REST);
  });
}
