// After a build: the first load is small, charts and sign-in are no part of it, and nothing made up is in any file.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 200;
/** Of test doubles, and of the invented data of tests (src/testing): none may be served. */
const FORBIDDEN = [/\bmsw\b/i, /mockServiceWorker/i, /\bfaker\b/i, /\bfixtures?\b/i, /\bmock(ed|s|ing)?\b/i, /lorem ipsum/i, /FIXTURE_/, /localhost:\d/, /\/src\/testing\//];
/** Not in the first load, by what their chunks are made from. */
const LATER = [/PlotChart/, /EquityChart/, /CandleChart/, /canvas/, /oidc/];

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
const failures = [];

function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const next of manifest[name].imports ?? []) closure(next, found);
  return found;
}

function compressedKb(file) {
  return gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024;
}

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const isRoom = (name) => name.startsWith("src/rooms/");
// The heaviest first load: the frame and the room of the address that one opens.
const rooms = Object.keys(manifest).filter(isRoom);
const loads = rooms.map((room) => {
  const chunks = [...closure(room, closure(entry))];
  return { room, chunks, kb: chunks.reduce((sum, name) => sum + compressedKb(manifest[name].file), 0) };
});
for (const { room, chunks, kb } of loads) {
  if (kb > LIMIT_KB) failures.push(`${room}: the first load is ${kb.toFixed(1)} kB of compressed script, at most ${LIMIT_KB}`);
  const early = chunks.filter((name) => LATER.some((pattern) => pattern.test(name)));
  if (early.length > 0) failures.push(`${room}: loads ${early.join(", ")} before it is asked for`);
}
for (const path of readdirSync(dist, { recursive: true })) {
  if (![".js", ".html", ".css", ".json"].includes(extname(path)) || path.startsWith(".vite")) continue;
  const text = readFileSync(join(dist, path), "utf8");
  for (const pattern of FORBIDDEN) {
    const match = pattern.exec(text);
    if (match) failures.push(`${path}: holds '${text.slice(Math.max(0, match.index - 30), match.index + 40)}'`);
  }
}

loads.sort((a, b) => b.kb - a.kb);
for (const { room, kb } of loads) console.log(`first load ${kb.toFixed(1).padStart(6)} kB  ${room}`);
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
