// Prints how a host starts an unpacked bundle: what the form's values make of the
// manifest, as the library of the format does it. Arguments: the folder, the values.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";

const [folder, values] = process.argv.slice(2);
const config = await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")),
  extensionPath: folder,
  systemDirs: {},
  userConfig: JSON.parse(values),
  pathSeparator: "/",
});
console.log(JSON.stringify(config));
