import type { Driver } from '../../../drivers/driver.ts'
import type { RunningServer } from '../../../http/server.ts'
import { type HubInstruments, noHubInstruments } from '../../../hub/instruments.ts'
import type { Certificate } from '../tls/certificate.ts'

export type ServerName = 'hub' | 'reader'

/** Somebody who watches what a process does: by numbers, or by traces. */
export interface Watch {
  instruments(server: ServerName): HubInstruments
  driver(driver: Driver): Driver
  /** A server listens. */
  listening(server: ServerName, running: RunningServer): void
  /** A certificate is in force. */
  certificate(certificate: Certificate): void
  /** Writes out what is still in memory. */
  close(): Promise<void>
}

export const noWatch: Watch = {
  instruments: () => noHubInstruments,
  driver: (driver) => driver,
  listening: () => undefined,
  certificate: () => undefined,
  close: async () => undefined,
}

/** Two who watch as one; the first is the outer one. */
export function watchBoth(first: Watch, second: Watch): Watch {
  return {
    instruments: (server) => bothInstruments(first.instruments(server), second.instruments(server)),
    driver: (driver) => first.driver(second.driver(driver)),
    listening(server, running) {
      first.listening(server, running)
      second.listening(server, running)
    },
    certificate(certificate) {
      first.certificate(certificate)
      second.certificate(certificate)
    },
    async close() {
      await Promise.all([first.close(), second.close()])
    },
  }
}

function bothInstruments(first: HubInstruments, second: HubInstruments): HubInstruments {
  return {
    begin: (req, res, next) => first.begin(req, res, () => second.begin(req, res, next)),
    end(res, end) {
      first.end(res, end)
      second.end(res, end)
    },
    turnedAway(why) {
      first.turnedAway(why)
      second.turnedAway(why)
    },
    credential(outcome) {
      first.credential(outcome)
      second.credential(outcome)
    },
    cache(name, isHit) {
      first.cache(name, isHit)
      second.cache(name, isHit)
    },
  }
}
