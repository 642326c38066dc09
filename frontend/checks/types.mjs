// Fails when src/api/schema.d.ts is not what openapi.json says.
import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const schema = new URL("../openapi.json", import.meta.url);
const committed = readFileSync(new URL("../src/api/schema.d.ts", import.meta.url), "utf8");
// The options of `npm run types`; the command line puts a notice before what it generates.
const generated = astToString(await openapiTS(schema, { defaultNonNullable: false }));
if (committed.trim() !== generated.trim() && !committed.trim().endsWith(generated.trim())) {
  console.error("src/api/schema.d.ts is not what openapi.json says: run scripts/openapi and commit what it writes");
  process.exit(1);
}
