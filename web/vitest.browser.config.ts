// The tests in a real Chromium against the real server: tests/browser, run with this folder's packages.
import { defineConfig } from 'vitest/config';

const here = new URL('.', import.meta.url).pathname;

export default defineConfig({
  root: `${here}../tests/browser`,
  cacheDir: `${here}node_modules/.vite-browser`,
  resolve: { alias: { 'playwright-core': `${here}node_modules/playwright-core/index.mjs` } },
  server: { fs: { allow: [`${here}..`] } },
  test: {
    include: ['**/*.test.ts'],
    // A slow single-board computer, or a machine shared with a build, needs patience; nothing sleeps this long.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    // Each file starts a server and a browser of its own: two at once fill two cores.
    poolOptions: { forks: { maxForks: 2 } },
  },
});
