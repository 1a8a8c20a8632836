/** One line of progress on a terminal, redrawn in place; silent anywhere else. */
import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import { visible } from './terminal-text.ts';

export interface ProgressBar {
  /** @param done 0…1 @param label what is being worked on */
  show(done: number, label: string): void;
  /** Removes the line, so that other text can be printed. */
  clear(): void;
}

const CELLS = 24;

export function createProgressBar(stream: NodeJS.WritableStream): ProgressBar {
  const terminal = stream as WriteStream;
  if (terminal.isTTY !== true) return { show() {}, clear() {} };
  return {
    show(done, label) {
      const filled = Math.round(CELLS * Math.min(1, Math.max(0, done)));
      const bar = '█'.repeat(filled) + '░'.repeat(CELLS - filled);
      const line = `${bar} ${String(Math.floor(done * 100)).padStart(3)} %  ${visible(label)}`;
      cursorTo(terminal, 0);
      terminal.write(line.slice(0, terminal.columns || 80));
      clearLine(terminal, 1);
    },
    clear() {
      cursorTo(terminal, 0);
      clearLine(terminal, 0);
    },
  };
}
