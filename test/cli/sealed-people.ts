import { type CliStage, keyOf, type Run, type suiteMachines } from './cli-stage.ts'

/** Somebody with a machine, and a key of the same name on it. */
export interface CliPerson {
  readonly name: string
  readonly machine: CliStage
  readonly address: string
  readonly did: string
}

type People<T extends string> = Record<T, CliPerson>

/** Each with a machine of their own. @param kind of their keys */
export async function sealedPeople<T extends string = 'alice' | 'bob' | 'carol' | 'mallory'>(
  suite: ReturnType<typeof suiteMachines>,
  names: readonly string[],
  kind = 'secp256k1',
): Promise<People<T>> {
  const people: Partial<Record<string, CliPerson>> = {}
  for (const name of names) {
    const machine = await suite.machine()
    await machine.ok(['key', 'new', name, '--type', kind, '--words', '12'])
    people[name] = { name, machine, ...(await keyOf(machine, name)) }
  }
  return people as People<T>
}

/** The error that a run has told of with `--json`. */
export function errorOf({ stderr }: Run): Record<string, unknown> {
  const line = stderr.trim().split('\n').at(-1) ?? ''
  return (JSON.parse(line) as { error: Record<string, unknown> }).error
}
