// Copies the page and the one library that it imports into dist/.
import { cp, mkdir } from "node:fs/promises";

await mkdir("dist/lib", { recursive: true });
await cp("src", "dist", { recursive: true });
await cp("node_modules/preact/dist/preact.module.js", "dist/lib/preact.js");
