// Puts a .br and a .gz beside every file of the build that gains by it, so that the server only has
// to pick one; removes assets of earlier builds that index.html no longer leads to.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const built = JSON.parse(await readFile(join(dist, 'files.json'), 'utf8'));
const manifest = new Set(built);
const known = new Set(built.flatMap((path) => [path, `${path}.br`, `${path}.gz`]));
await rm(join(dist, 'files.json'));

const SHRINKS = /\.(html|js|css|svg|webmanifest|json)$/;
let total = 0;

async function visit(folder) {
  for (const entry of await readdir(join(dist, folder), { withFileTypes: true })) {
    const path = folder + entry.name;
    if (entry.isDirectory()) {
      await visit(`${path}/`);
    } else if (entry.name.startsWith('.')) {
    } else if (!known.has(path)) {
      await rm(join(dist, path));
    } else if (manifest.has(path) && SHRINKS.test(path)) {
      const bytes = await readFile(join(dist, path));
      const br = brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      });
      await writeFile(join(dist, `${path}.br`), br);
      await writeFile(join(dist, `${path}.gz`), gzipSync(bytes, { level: 9 }));
      total += br.length;
      console.log(`${path}  ${bytes.length} bytes, brotli ${br.length}`);
    }
  }
}
await visit('');
console.log(`all together ${(total / 1000).toFixed(1)} KB with brotli`);
