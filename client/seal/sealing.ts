import { InvalidInputError } from '../errors.ts'
import type { GetOptions } from '../files/read.ts'
import type { Sealing } from '../sealing.ts'
import type { SealOptions } from './files/context.ts'
import { volatileMemory } from './files/memory.ts'
import type { ReadOptions } from './files/read.ts'
import { sealedFiles } from './files/sealed-files.ts'
import { refuseUnsealed, rememberUnsealed } from './files/trust.ts'

/**
 * For `connect({sealing: sealing({keys})})`: then `put(path, data, {sealFor})` seals, and `get` opens what is sealed.
 * {@link sealedFiles} gives all other calls.
 */
export function sealing(options: SealOptions): Sealing {
  // One memory for all addresses that the connection is led to.
  const shared = { ...options, memory: options.memory ?? volatileMemory() }
  return (connection) => {
    const files = sealedFiles(connection, shared)
    return {
      put: (path, data, { sealFor, ...rest }) =>
        files.put(path, data, sealFor === undefined || sealFor === 'same' ? rest : { ...rest, sealFor }),
      get: (path, wanted) => files.get(path, readOptions(wanted)),
      stream: (path, wanted) => files.stream(path, readOptions(wanted)),
      refuseUnsealed: (path) => refuseUnsealed(shared.memory, { address: connection.address, path }),
      rememberUnsealed: (path) =>
        rememberUnsealed(shared.memory, { address: connection.address, path }, connection.transport.now()),
    }
  }
}

function readOptions({ range, signal, onProgress }: GetOptions): ReadOptions {
  if (range !== undefined && 'suffix' in range) {
    throw new InvalidInputError('of a sealed file, a range is named by its first byte')
  }
  return {
    signal,
    ...(range === undefined ? {} : { range }),
    ...(onProgress === undefined ? {} : { onProgress }),
  }
}
