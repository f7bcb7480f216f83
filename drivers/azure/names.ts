import { DriverError } from '../errors.ts'
import type { ProbeTarget } from '../probe.ts'

/** Azure: a blob's name has at most 1,024 characters. */
const maxNameLength = 1024

/**
 * Names that not every service of this kind holds as they are: some cannot tell them in a list, which then fails
 * for all others too, and some take two of them for one. What a service does is found out at its start.
 */
export interface Peculiarity {
  /** For people: names … */
  readonly title: string
  readonly matches: (name: string) => boolean
  /** What to try, below a name of the probe's own. */
  readonly sample: string
}

const peculiarities: readonly Peculiarity[] = [
  {
    title: 'with a character that XML does not have',
    matches: (name) => /[\ufffe\uffff]/.test(name),
    sample: 'x\uffff',
  },
  {
    title: 'with a segment that ends in a dot',
    matches: (name) => /\.(\/|$)/.test(name),
    sample: 'a./b.',
  },
]

/**
 * Which of them a service does not hold. Leaves nothing behind.
 * @param target sends each request once: a list of what cannot be listed fails as a service in trouble does
 */
export async function findUnheld(target: ProbeTarget, base: string): Promise<Peculiarity[]> {
  const held = await Promise.all(peculiarities.map(({ sample }, i) => holds(target, `${base}-${i}/`, sample)))
  return peculiarities.filter((_, i) => held[i] === false)
}

async function holds(target: ProbeTarget, folder: string, sample: string): Promise<boolean> {
  const isHeld = (await tryName(target, folder, sample)) || (await tryName(target, folder, sample))
  // Where a list fails without that name too, the name is not to blame.
  if (!isHeld) await target.list(folder)
  return isHeld
}

async function tryName(target: ProbeTarget, folder: string, sample: string): Promise<boolean> {
  const name = `${folder}${sample}`
  try {
    await target.write(name, Buffer.from('mandate start check'))
    const names = await target.list(folder)
    return names.length === 1 && names[0] === name
  } catch (error) {
    if (error instanceof DriverError) return false
    throw error
  } finally {
    await Promise.allSettled([target.delete(name)])
  }
}

/**
 * Refuses an account that lists in another order than that of names: one with a hierarchical namespace, which also
 * lists its folders. It is another store, under which an object and a folder cannot have one name.
 * @throws `backend`
 */
export async function requireFlatNames(target: ProbeTarget, base: string): Promise<void> {
  const names = [`${base}/a!`, `${base}/a/b`]
  try {
    for (const name of names) await target.write(name, Buffer.from('mandate start check'))
    const listed = await target.list(`${base}/`)
    if (listed.join('\n') === names.join('\n')) return
  } finally {
    await Promise.allSettled(names.map((name) => target.delete(name)))
  }
  throw new DriverError(
    'backend',
    'the storage does not list names in order: an account with a hierarchical namespace?',
  )
}

/** Whether a name is of a kind that some services do not hold. */
export function isPeculiar(name: string): boolean {
  return peculiarities.some(({ matches }) => matches(name))
}

/** Why a service has no room for a name, `null` where it has. */
export function refusalOf(name: string, unheld: readonly Peculiarity[]): string | null {
  if (name.length > maxNameLength) return `the storage holds names of at most ${maxNameLength} characters`
  const peculiarity = unheld.find(({ matches }) => matches(name))
  return peculiarity === undefined ? null : `the storage holds no name ${peculiarity.title}`
}
