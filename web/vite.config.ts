// How the page is built: relative URLs (a proxy prefix works), digests in file names, nothing inline.
import { writeFileSync } from 'node:fs';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Lists what this build made, for scripts/compress.mjs. */
function fileList(): Plugin {
  return {
    name: 'file-list',
    writeBundle({ dir }, bundle) {
      writeFileSync(`${dir}/files.json`, JSON.stringify(Object.keys(bundle)));
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [fileList()],
  build: {
    outDir: 'dist',
    // The terminals' page, and that of the set-up access point.
    rollupOptions: { input: ['index.html', 'setup.html'] },
    // The committed .gitignore keeps the folder; scripts/compress.mjs clears what an earlier build left.
    emptyOutDir: false,
    target: ['chrome108', 'firefox115', 'safari16'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
