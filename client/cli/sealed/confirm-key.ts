import { fingerprint } from '../../seal/encryption-key.ts'
import type { KeyQuestion } from '../../seal/files/context.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { nameDids } from '../delegations/words.ts'
import { openingKeysOf } from '../keys/opening.ts'
import { confirm } from '../terminal/ask.ts'
import { canAsk } from '../terminal/output.ts'
import type { TrustOptions } from './trust-options.ts'

/**
 * Answers for a command whether a recipient's keys are right: where their fingerprints were given, where they are keys
 * on this machine, where somebody at the terminal says so. Each question is put once, however many files wait for it.
 */
export function keyConfirmer(
  context: CliContext,
  options: TrustOptions,
): (question: KeyQuestion) => Promise<boolean> {
  const answers = new Map<string, Promise<boolean>>()
  return (question) => {
    const id = [question.did, question.key, ...question.recovery].join(' ')
    const answer = answers.get(id) ?? decide(context, options, question)
    answers.set(id, answer)
    return answer
  }
}

/** A key that would open what is sealed, as people compare it. */
interface Shown {
  readonly key: string
  readonly fingerprint: string
}

async function decide(context: CliContext, options: TrustOptions, question: KeyQuestion): Promise<boolean> {
  const keys = [question.key, ...question.recovery]
  const shown = await Promise.all(keys.map(async (key) => ({ key, fingerprint: await fingerprint(key) })))
  const given = new Set((options.confirmKey ?? []).map(digitsOf))
  if (shown.every((one) => given.has(digitsOf(one.fingerprint)))) return true
  const own = await ownOpeningKeys(context)
  if (keys.every((key) => own.has(key))) return true
  if (question.formerFingerprint !== null) throw await changedKey(context, question, shown)
  if (options.trustFirst === true) return true
  await askFirst(context, question, shown)
  return true
}

/** Spaces are for reading. */
function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

/** Of keys in files only: nobody is to be asked by a keyring for keys that a command does not use. */
async function ownOpeningKeys({ keys }: CliContext): Promise<ReadonlySet<string>> {
  const stored = (await keys.list()).filter(({ place }) => place === 'file')
  const opening = await Promise.all(
    stored.map(async (key) => openingKeysOf(key.kind, await keys.secretOf(key))),
  )
  return new Set(opening.flat().map(({ did }) => did))
}

async function askFirst(context: CliContext, question: KeyQuestion, shown: readonly Shown[]): Promise<void> {
  const who = (await nameDids(context))(question.did)
  const { stdin, stderr } = context.io
  if (!canAsk(stdin, stderr)) {
    throw new CliError('sealed', `the key of ${who} was not used here before: ${listed(shown)}`, {
      details: { code: 'unconfirmed-key', ...detailsOf(question, shown) },
      hint: `If that is what "mandate key fingerprint" prints for them: ${flagsFor(shown)}. To take it as it is: --trust-first.`,
    })
  }
  context.out.warn(`the key of ${who} was not used here before`)
  for (const line of lines(shown)) stderr.write(`  ${line}\n`)
  stderr.write('  They see the same with: mandate key fingerprint\n')
  await confirm(context, 'Is it the same?', false)
}

/** Not a question: who sits at a terminal says yes to too many. */
async function changedKey(
  context: CliContext,
  question: KeyQuestion,
  shown: readonly Shown[],
): Promise<CliError> {
  const who = (await nameDids(context))(question.did)
  const { formerFingerprint } = question
  const [now] = shown
  const isSame = now?.fingerprint === formerFingerprint
  const what = isSame
    ? `${who} publishes other recovery keys than before: ${listed(shown)}`
    : `the key of ${who} is another than before: ${listed(shown)}; formerly ${formerFingerprint}`
  return new CliError('sealed', what, {
    details: { code: 'key-changed', ...detailsOf(question, shown), formerFingerprint },
    hint: `Ask them, by another way than this hub. If they have changed it: ${flagsFor(shown)}.`,
  })
}

function detailsOf({ did }: KeyQuestion, [key, ...recovery]: readonly Shown[]): Record<string, unknown> {
  return {
    did,
    fingerprint: key?.fingerprint,
    recovery: recovery.map((one) => one.fingerprint),
  }
}

function lines([key, ...recovery]: readonly Shown[]): string[] {
  return [
    `fingerprint ${key?.fingerprint ?? ''}`,
    ...recovery.map((one) => `recovery key with the fingerprint ${one.fingerprint}`),
  ]
}

function listed(shown: readonly Shown[]): string {
  return lines(shown).join(', ')
}

function flagsFor(shown: readonly Shown[]): string {
  return shown.map((one) => `--confirm-key '${one.fingerprint}'`).join(' ')
}
