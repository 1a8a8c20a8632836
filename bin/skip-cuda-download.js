// Runs before the install scripts of what Boardsharp needs. ONNX Runtime's fetches CUDA files from outside the npm
// registry, which nobody here needs and which fails where only the registry can be reached; what the CPU and WebGPU
// need is inside its package. npm lets a project deny such a script (`allowScripts`), but not a dependency, so its
// own switch is set to "skip" unless ONNXRUNTIME_NODE_INSTALL says otherwise.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SWITCH = "process.env.ONNXRUNTIME_NODE_INSTALL ||= 'skip';\n";

try {
  const script = createRequire(import.meta.url).resolve('onnxruntime-node/script/install.js');
  const text = readFileSync(script, 'utf8');
  if (!text.startsWith(SWITCH)) {
    // A new file takes its place: the old one may be shared with other projects by a hard link.
    writeFileSync(`${script}.new`, SWITCH + text);
    renameSync(`${script}.new`, script);
  }
} catch (error) {
  // In a checkout this runs before anything is installed, and allowScripts does its work there.
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
}
