import type { Command } from 'commander'
import { addressOfDid } from '../../did.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isAddress } from '../remote-path.ts'
import { failureOf, reportFailure } from '../report-error.ts'
import { openSealed, type SealedSession } from '../sealed/open-sealed.ts'
import { nameOwners, readOwner } from '../sealed/recipients.ts'
import { collect, type TrustOptions } from '../sealed/trust-options.ts'
import { printable } from '../terminal/style.ts'

interface SharedOptions extends TrustOptions {
  by?: string[]
}

export function sharedCommand(context: CliContext): Command {
  return defineCommand('shared', {
    summary: 'List what others have sealed for you',
    details:
      'Every sealer keeps an index that only those can read who are meant. Without --by, it is looked up at all whose keys were used or confirmed on this machine.',
    usesHub: true,
    examples: [
      ['mandate shared --by did:key:zQ3s…', 'what this one has sealed for the key of the profile'],
      ['mandate get "$(mandate shared --by alice --as bob | head -1)" --as bob', 'fetches the first of it'],
    ],
  })
    .option('--by <who>', 'keys on this machine, DIDs or addresses; may stand several times', collect)
    .action(async (options: SharedOptions) => {
      const session = await openSealed(context, options, null)
      const owners = await ownersOf(context, session, options)
      const failures = []
      for (const owner of owners) failures.push(...(await listBy(context, session, owner)))
      const [first] = failures
      if (first !== undefined) throw first
    })
}

async function ownersOf(
  context: CliContext,
  { identity, seal }: SealedSession,
  { by }: SharedOptions,
): Promise<string[]> {
  if (by !== undefined) return Promise.all(by.map((who) => readOwner(context, who)))
  const pinned = (await seal.memory.names('pin:')).map((name) => addressOfDid(name.slice('pin:'.length)))
  const own = (await context.keys.list()).map(({ address }) => address)
  const others = [...new Set([...own, ...pinned])].filter((address) => address !== identity.address)
  if (others.length > 0) return others
  throw new CliError('usage', 'nobody is known here whose index could be looked up: name them with --by')
}

/** One whose index cannot be read does not hide what the others have sealed. @returns what the command then fails for */
async function listBy(context: CliContext, { files }: SealedSession, owner: string): Promise<CliError[]> {
  const nameOf = await nameOwners(context)
  try {
    for await (const { by, address, path } of files.sharedWithMe([owner])) {
      // An index is its sealer's word: what is no address could pass for a key on this machine.
      if (!isAddress(address)) continue
      context.out.result({ by, address, path }, printable(`${nameOf(address)}:${path}`))
    }
    return []
  } catch (error) {
    const failure = failureOf(error, context.signal)
    if (failure.exit === 'interrupted') throw error
    reportFailure({ ...failure, message: `the index of ${nameOf(owner)}: ${failure.message}` }, context.out)
    return [new CliError(failure.exit, 'not every index could be read')]
  }
}
