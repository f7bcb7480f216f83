import { type Logger, pino } from 'pino'

/** How long a line may wait for others before it is written, in milliseconds. */
const logDelayMs = 200

/** What one write to a pipe puts there in one piece, whoever else writes to it (PIPE_BUF of Linux). */
const wholeWriteBytes = 4096

/**
 * The log, on standard output. Lines go out together: a call to the system for each would cost a busy hub as much as
 * its checks of tokens.
 * @param worker number of the process, where several write to one output: then lines of theirs must not mix
 */
export function openLog(level: string, worker?: number): Logger {
  const shared = worker === undefined ? {} : { maxWrite: wholeWriteBytes }
  const minLength = worker === undefined ? wholeWriteBytes : wholeWriteBytes / 2
  const destination = pino.destination({
    dest: 1,
    sync: true,
    minLength,
    periodicFlush: logDelayMs,
    ...shared,
  })
  process.on('exit', () => destination.flushSync())
  const base = worker === undefined ? null : { worker }
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}
