import { ClassicLevel } from 'classic-level'
import { DriverError } from '../index.ts'
import { chunkRange, textAfter, uploadPrefix } from './records.ts'

export type Database = ClassicLevel<Buffer, Buffer>

/** Opens a folder as a LevelDB database, and clears the pieces of uploads that ended with their process. */
export async function openDatabase(location: string): Promise<Database> {
  const database: Database = new ClassicLevel<Buffer, Buffer>(location, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await database.open()
  // LevelDB lets one process in at a time, so nobody else can be writing.
  for await (const name of database.keys({ gte: uploadPrefix, lt: Buffer.from('x') })) {
    await database.clear(chunkRange(textAfter(uploadPrefix, name)))
    await database.del(name)
  }
  return database
}

/** What a caller is told of an error of the database: never a path, which its own messages hold. */
export function asDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error
  const code = codeOf(error)
  if (code === 'LEVEL_LOCKED') {
    return new DriverError('unavailable', 'the database is in use by another process', { cause: error })
  }
  const passing = code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_IO_ERROR'
  return new DriverError(passing ? 'unavailable' : 'backend', `the database failed (${code})`, {
    cause: error,
  })
}

export async function asDriver<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDriverError(error)
  }
}

/** The reason why a database did not open stands in the cause. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
  return code === 'LEVEL_DATABASE_NOT_OPEN' && error.cause !== undefined ? codeOf(error.cause) : code
}
