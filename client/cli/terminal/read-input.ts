import { open } from 'node:fs/promises'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import type { In } from '../io.ts'

/** A small text from a file, or from standard input where the name is `-`. @throws {CliError} where it is larger */
export async function readText(context: CliContext, name: string, maxBytes: number): Promise<string> {
  return name === '-'
    ? readStream(context.io.stdin, maxBytes)
    : readFileBounded(context.pathOf(name), name, maxBytes)
}

async function readStream(stdin: In, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size > maxBytes) throw tooLarge('standard input', maxBytes)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readFileBounded(file: string, name: string, maxBytes: number): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.alloc(maxBytes + 1)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    if (bytesRead > maxBytes) throw tooLarge(name, maxBytes)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

function tooLarge(name: string, maxBytes: number): CliError {
  return new CliError('invalid', `${name} is larger than the ${maxBytes} bytes that such a text may have`)
}
