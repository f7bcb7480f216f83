import { type Azurite, startAzurite } from './azurite.ts'

let running: Promise<Azurite> | undefined

/** The one server of this process, started when it is first asked for and gone with the process. */
export function sharedAzurite(): Promise<Azurite> {
  running ??= startAzurite().then((server) => {
    server.letGo()
    return server
  })
  return running
}
