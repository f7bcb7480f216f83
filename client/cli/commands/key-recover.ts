import type { Command } from 'commander'
import { SealError } from '../../seal/errors.ts'
import type { OpeningKey } from '../../seal/opening-key.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { openingKeysOf } from '../keys/opening.ts'
import { maxSecretBytes, readSecret } from '../keys/secret.ts'
import { readRemotePath } from '../remote-path.ts'
import { openSealed, type SealedSession } from '../sealed/open-sealed.ts'
import { runFolder } from '../sealed/run-folder.ts'
import type { TrustOptions } from '../sealed/trust-options.ts'
import { readText } from '../terminal/read-input.ts'
import { printable } from '../terminal/style.ts'

interface RecoverOptions extends TrustOptions {
  from?: string
  with?: string
}

export function recoverCommand(context: CliContext): Command {
  return defineCommand('recover', {
    summary: 'Try whether a backup or a recovery key alone opens your sealed files',
    details:
      'A drill: nothing is changed. Every sealed file is opened to its last byte with that key and no other; then those which it does not open are tried with the key that acts. Where that opens one, the command tells its path and ends with status 9.',
    usesHub: true,
    examples: [
      ['mandate key recover --from rescue.phrase', 'a backup, of a recovery key or of your own'],
      ['mandate key recover plans/ --with rescue', 'a key on this machine, and one folder'],
    ],
  })
    .argument('[path]', 'folder: [owner:]path (default: your own bucket)')
    .option('--from <file>', 'file with the backup; - for standard input')
    .option('--with <key>', 'name of a key on this machine')
    .action(async (text: string | undefined, options: RecoverOptions) => {
      const { address, path } = await readRemotePath(context, text ?? '')
      const drill = await openSealed(context, options, address, await drillKeys(context, options))
      const left: string[] = []
      const result = await runFolder(context, {
        label: 'recover',
        done: null,
        work: (run) => drill.files.check(path, run),
        onProgress: (at) => {
          if (at.outcome === 'closed') left.push(at.path)
        },
      })
      const missing = await openedOnlyBy(await openSealed(context, options, address), left)
      tell(context, result.opened, missing, left.length - missing.length)
    })
}

async function drillKeys(context: CliContext, { from, with: name }: RecoverOptions): Promise<OpeningKey[]> {
  if ((from === undefined) === (name === undefined)) {
    throw new CliError('usage', 'say what to try: --from for a backup, or --with for a key on this machine')
  }
  if (from !== undefined) {
    return openingKeysOf(...(await readSecret(await readText(context, from, maxSecretBytes), 'secp256k1')))
  }
  const key = await context.keys.find(name ?? '')
  if (key === null) throw new CliError('key', 'no key of that name', { hint: 'See: mandate key list' })
  return openingKeysOf(key.kind, await context.keys.secretOf(key))
}

/** What the acting key opens and the other did not. */
async function openedOnlyBy({ files }: SealedSession, paths: readonly string[]): Promise<string[]> {
  const opened: string[] = []
  for (const path of paths) {
    try {
      await files.head(path, { sealers: 'anybody' })
      opened.push(path)
    } catch (error) {
      if (!(error instanceof SealError) || error.code !== 'not-a-recipient') throw error
    }
  }
  return opened
}

function tell({ out }: CliContext, opened: number, missing: readonly string[], others: number): void {
  const lines = [
    `opens ${opened === 1 ? 'one file' : `${opened} files`} to the last byte`,
    ...missing.map((path) => `does not open ${printable(path)}`),
  ]
  out.result({ opened, missing, others }, lines)
  if (others > 0) out.note(`${others} are sealed for others, and open for neither key`)
  if (missing.length === 0) return
  throw new CliError('sealed', `${missing.length} of your files would be lost with your key`, {
    hint: 'Name a recovery key with "mandate key publish --recovery", then add it to what was sealed before with "mandate share -r", naming yourself. If it is a backup of your own, make a new one.',
  })
}
