import { artefacts } from '../../../deploy/functions/artefacts.ts'
import { type Bundled, bundle } from '../../../deploy/functions/bundle.ts'

const made = new Map<string, Promise<Bundled>>()

/** An artefact of this test run, bundled when it is first asked for. */
export function artefact(name: string): Promise<Bundled> {
  const there = made.get(name)
  if (there !== undefined) return there
  const wanted = artefacts.find((one) => one.name === name)
  if (wanted === undefined) throw new Error(`there is no artefact ${name}`)
  const making = bundle(wanted)
  made.set(name, making)
  return making
}
