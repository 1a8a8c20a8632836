/** Both databases keep the same promises: values, transactions, messages, locks, migrations. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AppError } from '../../src/errors.ts';
import { Secret } from '../../src/secret.ts';
import { openEmbedded } from '../../src/storage/embedded-database.ts';
import { migrate } from '../../src/storage/migrations.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { openPostgres } from '../../src/storage/postgres-database.ts';
import { createPostgresDatabase, DATABASE_KINDS, onEachDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/engine.ts';

const withCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;

onEachDatabase('a database', (open, kind) => {
  test('gives values of the same types', async () => {
    const db = await open();
    const [row] = await db.query(
      `select 5::bigint as big, 1.5::real as real, now() as at, $1::jsonb as json, null as nothing,
         $2::uuid[] as ids, true as yes`,
      [JSON.stringify({ a: [1] }), ['b5c2c1c0-0000-4000-8000-000000000001']],
    );
    const { at, ...rest } = row ?? {};
    assert.ok(at instanceof Date);
    const ids = ['b5c2c1c0-0000-4000-8000-000000000001'];
    assert.deepEqual(rest, { big: 5, real: 1.5, json: { a: [1] }, nothing: null, ids, yes: true });
  });

  test('takes a transaction back whole when it throws', async () => {
    const db = await open();
    const id = 'b5c2c1c0-0000-4000-8000-000000000002';
    const work = db.transaction(async (tx) => {
      await tx.query('insert into users (id) values ($1)', [id]);
      throw new Error('no');
    });
    await assert.rejects(work, /no/);
    assert.deepEqual(await db.query('select id from users where id = $1', [id]), []);
  });

  test('goes on after a script that failed inside its own transaction', async () => {
    const db = await open();
    await assert.rejects(db.script('begin; select 1/0; commit'));
    assert.deepEqual(await db.query('select 1 as one'), [{ one: 1 }]);
  });

  test('delivers a message when its transaction commits, and not when it does not', async () => {
    const db = await open();
    const heard = new EventEmitter();
    const listening = await db.listen('test_channel', (payload) => heard.emit('message', payload));
    const message = once(heard, 'message');
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.query(`select pg_notify('test_channel', 'never')`);
        throw new Error('no');
      }),
    );
    await db.transaction(async (tx) => {
      await tx.query(`select pg_notify('test_channel', 'committed')`);
    });
    assert.deepEqual(await message, ['committed']);
    await listening.close();
  });

  test('shows the locks of those who live', async () => {
    const db = await open();
    await db.holdLock(77, 2_000_000_123);
    const held = await db.query(
      `select objid::bigint as id from pg_locks where locktype = 'advisory' and classid::bigint = 77`,
    );
    assert.deepEqual(held, [{ id: 2_000_000_123 }]);
  });

  test('is brought up to a newer version once, or not at all, and then refused by the older', async (t) => {
    const db = await open();
    const folder = temporaryFolder(t);
    const migrations = pathToFileURL(`${folder}/`);
    const there = async (table: string) =>
      (await db.query('select to_regclass($1) as name', [table]))[0]?.name;
    await Promise.all([migrate(db), migrate(db)]);
    await writeFile(join(folder, '9000_broken.sql'), 'create table half_done (id int); select 1/0;');
    await assert.rejects(migrate(db, migrations));
    assert.equal(await there('half_done'), null);
    await migrate(db);

    await writeFile(join(folder, '9000_broken.sql'), 'create table whole (id int);');
    await Promise.all([migrate(db, migrations), migrate(db, migrations)]);
    assert.equal(await there('whole'), 'whole');
    await assert.rejects(migrate(db), (error: AppError) => {
      assert.match(error.message, /belongs to a newer version of Boardsharp: its version is 9000/);
      return error.code === 'DATABASE_NEWER';
    });
    await db.script('drop table whole; delete from schema_versions where version = 9000');
  });

  test(`says what it is`, async () => {
    assert.equal((await open()).kind, kind);
  });
});

test('migrations are numbered without gaps', async () => {
  const folder = new URL('../../migrations/', import.meta.url);
  const numbers = (await readdir(folder)).sort().map((name) => Number.parseInt(name, 10));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
});

test('a second process on one embedded database is refused at once, and a killed one leaves it free', async (t) => {
  const folder = join(temporaryFolder(t), 'database');
  const lock = new URL('../../src/storage/folder-lock.ts', import.meta.url);
  const holder = spawn(process.execPath, [
    ...['--input-type=module', '--eval'],
    `import { lockFolder } from ${JSON.stringify(lock.href)};
     await lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000);`,
  ]);
  t.after(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const startedAt = performance.now();
  await assert.rejects(openEmbedded(folder), (error: AppError) => {
    assert.equal(error.code, 'DATABASE_IN_USE');
    assert.match(error.message, /in use by another process.*DATA_DIR.*DATABASE_URL/);
    return true;
  });
  assert.ok(performance.now() - startedAt < 500);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const db = await openEmbedded(folder);
  await assert.rejects(openEmbedded(folder), withCode('DATABASE_IN_USE'));
  await db.close();
  await db.close();
});

test('a server that is not there is told as such, without its password', async () => {
  const url = 'postgres://somebody:hunter2@127.0.0.1:1/none';
  await assert.rejects(
    openDatabase({ dataDir: '/nowhere', databaseUrl: new Secret(url) }),
    (error: AppError) => {
      assert.equal(error.code, 'DATABASE');
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    },
  );
});

test('on PostgreSQL, listening and locks come back after their connection was cut', async (t) => {
  if (!DATABASE_KINDS.some((kind) => kind === 'postgres')) return t.skip('TEST_DATABASE_URL is not set');
  const { url, remove } = await createPostgresDatabase();
  const db = openPostgres(url);
  const heard = new EventEmitter();
  await db.listen(
    'test_channel',
    (payload) => heard.emit('message', payload),
    () => heard.emit('gap'),
  );
  await db.holdLock(78, 5);
  const gap = once(heard, 'gap');
  await db.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid::bigint = 78`,
  );
  await gap;
  const held = await db.query(
    `select 1 as one from pg_locks where locktype = 'advisory' and classid::bigint = 78`,
  );
  assert.deepEqual(held, [{ one: 1 }]);
  const message = once(heard, 'message');
  await db.query(`select pg_notify('test_channel', 'again')`);
  assert.deepEqual(await message, ['again']);
  await db.close();
  await remove();
});
