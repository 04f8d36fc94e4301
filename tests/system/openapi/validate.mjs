// usage: validate.mjs DIRECTORY-OF-PACKAGES DOCUMENT
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { readFileSync } from "node:fs";

const [where, document] = process.argv.slice(2);
const require = createRequire(join(where, "index.js"));
const { Validator } = await import(
  pathToFileURL(require.resolve("@seriousme/openapi-schema-validator")).href);
const done = await new Validator().validate(JSON.parse(readFileSync(document, "utf8")));
if (!done.valid) {
  console.error(JSON.stringify(done.errors, null, 2));
  process.exit(1);
}
