import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ContainerClient } from '@azure/storage-blob'
import type { Condition } from '../driver.ts'
import { DriverError } from '../errors.ts'
import {
  holdsDeletes,
  type ProbeTarget,
  probeName,
  probeReading,
  probeStorage,
  requireConditions,
} from '../probe.ts'
import type { Access } from '../read-only.ts'
import type { Connection } from './connection.ts'
import { asDriver, failureOf, unless } from './errors.ts'
import { matching } from './info.ts'
import { findUnheld, type Peculiarity, requireFlatNames } from './names.ts'
import { readBlob } from './read.ts'
import { listSegment, maxSegment } from './segments.ts'
import type { TransferOptions } from './transfer.ts'
import { writeBlob } from './write.ts'

export interface StartOptions {
  /** `read` needs no right to write and refuses to; `write` unless said otherwise. */
  access?: Access
  /** Make the container where it is missing. Without it, a missing one is an error. */
  createBucket?: boolean
  /** Take a service that does not hold to conditions, under which writers at the same time lose updates. */
  allowUnsafeConditions?: boolean
}

/** What was found out about a service. */
export interface Found {
  /** Whether it holds to conditions. */
  readonly atomicConditions: boolean
  /** Whether it holds to those of a delete too. */
  readonly atomicDeletes: boolean
  /** Names that it does not hold; `null` where that was not tried, since it takes a write. */
  readonly unheld: readonly Peculiarity[] | null
}

/** Makes sure that a container is there and can be used, and finds out what it can do. @throws `backend`, `unavailable` */
export async function start(
  { container, impatient }: Connection,
  transfer: TransferOptions,
  { access = 'write', createBucket = false, allowUnsafeConditions = false }: StartOptions,
): Promise<Found> {
  await ensureContainer(container, createBucket)
  const target = probeTarget(container, transfer)
  if (access === 'read') {
    await probeReading(target)
    return { atomicConditions: false, atomicDeletes: false, unheld: null }
  }
  const name = probeName()
  const probed = await probeStorage(target, name)
  const atomicConditions = requireConditions(probed, allowUnsafeConditions)
  await requireFlatNames(target, name)
  const unheld = await findUnheld(probeTarget(impatient, transfer), name)
  return { atomicConditions, atomicDeletes: holdsDeletes(probed), unheld }
}

async function ensureContainer(container: ContainerClient, create: boolean): Promise<void> {
  try {
    await container.getProperties()
  } catch (error) {
    if (failureOf(error).code !== 'ContainerNotFound') return
    if (!create) throw new DriverError('backend', 'there is no such container (createBucket: true makes it)')
    await asDriver(() => container.createIfNotExists())
  }
}

function probeTarget(container: ContainerClient, transfer: TransferOptions): ProbeTarget {
  const blobOf = (name: string) => container.getBlockBlobClient(name)
  return {
    async write(name, bytes, condition?: Condition) {
      const options = { contentType: 'text/plain', size: bytes.byteLength, ...(condition && { condition }) }
      return (await writeBlob(blobOf(name), Readable.from([bytes], { objectMode: false }), options, transfer))
        .etag
    },
    async read(name) {
      const result = await asDriver(() => readBlob(blobOf(name), {}, transfer.stallMs))
      return result === null ? null : await asDriver(() => buffer(result.body))
    },
    async list(prefix) {
      return (await listSegment(container, prefix, null, maxSegment)).items.map((item) => item.name)
    },
    async delete(name, condition) {
      const conditions = condition === undefined ? {} : matching(condition.ifMatch)
      await unless('not_found', () => blobOf(name).delete({ conditions, deleteSnapshots: 'include' }))
    },
  }
}
