/** Kills bot, API and workers while people send photos and Telegram fails: `npm run bot-chaos -- --help`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { randomFrom } from '../test/helpers/seed.ts';
import { sendInChaos } from '../test/telegram/chaos.ts';

const HELP = `npm run bot-chaos [-- options]

  --users 20 --photos 60 --kills 30
  --width 60         of the smallest photo
  --seed <number>    when which process is killed, and what Telegram does
`;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '20' },
    photos: { type: 'string', default: '60' },
    kills: { type: 'string', default: '30' },
    width: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

process.stdout.write(`--seed ${values.seed}\n`);
const folder = mkdtempSync(join(tmpdir(), 'boardsharp-chaos-'));
const database = await createPostgresDatabase();
let exitCode = 1;
try {
  const report = await sendInChaos({
    users: Number(values.users),
    photos: Number(values.photos),
    kills: Number(values.kills),
    width: Number(values.width),
    databaseUrl: database.url,
    folder,
    random: randomFrom(Number(values.seed)),
    say: (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  exitCode = report.wrong.length === 0 ? 0 : 1;
} finally {
  await database.remove();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(exitCode);
