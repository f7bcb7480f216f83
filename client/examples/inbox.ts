/**
 * An inbox: anybody who has its link may put something in, nobody may change or remove what is there, and its owner
 * collects what came. It needs a hub, http://localhost:3000 unless HUB names another.
 *
 *     node build/client/examples/inbox.js open applicant.key    the applicant's key; prints their did:key
 *     node build/client/examples/inbox.js invite owner.key DID  prints a link for that did:key
 *     node build/client/examples/inbox.js submit applicant.key LINK FILE
 *     node build/client/examples/inbox.js collect owner.key FOLDER
 *
 * Keys are files of mode 0600, made where they are missing.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Connection, connect, stacksSigner, Wallet } from '../index.ts'

const hub = process.env.HUB ?? 'http://localhost:3000'
const inbox = 'inbox/'
const maxSubmissionBytes = 1024 * 1024

const commands: Record<string, (...args: string[]) => Promise<void>> = { open, invite, submit, collect }

/** Makes the key, and tells who it is. */
async function open(keyFile: string): Promise<void> {
  say((await connected(keyFile)).did)
}

/** Lets somebody put files of up to 1 MiB into the inbox, for a week. They cannot replace any: `createOnly`. */
async function invite(keyFile: string, did: string): Promise<void> {
  const connection = await connected(keyFile)
  const mandate = await connection.delegate({
    to: did,
    path: inbox,
    can: 'store',
    expires: '7d',
    caveats: { createOnly: true, maxSize: maxSubmissionBytes },
  })
  say(mandate.toUrl())
}

/** Puts a file into the inbox of whoever made the link, under a name that nobody else has. */
async function submit(keyFile: string, link: string, file: string): Promise<void> {
  const wallet = new Wallet()
  const { addresses } = await wallet.add(link)
  const connection = await connected(keyFile, wallet)
  const name = `${inbox}${Date.now()}-${randomBytes(4).toString('hex')}-${basename(file)}`
  const stored = await connection.at(addresses[0] ?? '').put(name, await readFile(file), { createOnly: true })
  say(stored.path)
}

/** Brings what came into a folder, and removes it from the inbox once it is there. */
async function collect(keyFile: string, folder: string): Promise<void> {
  const connection = await connected(keyFile)
  await mkdir(folder, { recursive: true })
  for await (const path of connection.list({ prefix: inbox })) {
    const { bytes } = await connection.get(path)
    // Names are strangers' choice: only what comes after the last slash is taken, and nothing is overwritten.
    const target = join(folder, basename(path))
    await writeFile(target, bytes, { flag: 'wx' })
    await connection.delete(path)
    say(target)
  }
}

async function connected(keyFile: string, wallet = new Wallet()): Promise<Connection> {
  return connect({ hub, signer: stacksSigner(await readKey(keyFile)), wallet })
}

async function readKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = randomBytes(32).toString('hex')
    await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' })
    return key
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
if (command === undefined || args.includes('') || args.length !== command.length) {
  process.stderr.write(
    'usage: inbox.js open KEY | invite KEY DID | submit KEY LINK FILE | collect KEY FOLDER\n',
  )
  process.exitCode = 2
} else {
  await command(...args)
}
