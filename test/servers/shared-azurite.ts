import { type Azurite, startAzurite } from './azurite.ts'

let running: Promise<Azurite> | undefined

// At the top of a module that test files import: belongs to the whole run, not to one of its suites.
after(async () => {
  if (running !== undefined) await (await running).stop()
})

/** The one server of a test run, started when it is first asked for. */
export function sharedAzurite(): Promise<Azurite> {
  running ??= startAzurite()
  return running
}
