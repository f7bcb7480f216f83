import { BadAnswerError, MandateError, PayloadTooLargeError } from '../errors.ts'
import type { BodySource, Progress, Transport } from '../transport/transport.ts'
import { goesDirectly, uploadDirectly } from './direct-upload.ts'
import { etagIfStored } from './recognize.ts'
import type { Content } from './source.ts'

/** What must hold at the path when the store takes effect; nothing for no condition. */
export type Condition = { readonly 'If-Match'?: string; readonly 'If-None-Match'?: '*' }

export interface StoreOptions {
  contentType?: string
  /** Keeps the version that is replaced. */
  keepHistory?: boolean
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
  /** Whether a 409 is waited for. True by default. */
  retryConflicts?: boolean
}

/** What a store gives. */
export interface PutResult {
  readonly path: string
  /** Names the version that was stored. */
  readonly etag: string
  /** Where anybody can read it. */
  readonly publicUrl: string
}

/** A file on its way to a path. */
export interface Shipment {
  readonly path: string
  readonly body: BodySource
  readonly contentType: string
  readonly condition: Condition
  readonly ability: 'gaia/store' | 'gaia/archive'
  readonly retryConflicts: boolean
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
}

/** One conditional store, tried again as the transport does. */
export async function store(
  transport: Transport,
  path: string,
  content: Content,
  options: StoreOptions,
  condition: Condition,
): Promise<PutResult> {
  const stored = await storeUnnamed(transport, path, content, options, condition)
  const etag = stored ?? (await findEtag(transport, path, content, options.signal))
  return { path, etag, publicUrl: transport.fileUrl(path) }
}

/** The same for a file whose version nobody will ask for. @returns its etag, `null` where a storage kept it to itself */
export async function storeUnnamed(
  transport: Transport,
  path: string,
  { body, contentType }: Content,
  options: StoreOptions,
  condition: Condition,
): Promise<string | null> {
  checkSize(transport, body.size)
  const { signal, onProgress, retryConflicts = true } = options
  const shipment: Shipment = {
    path,
    body,
    contentType: options.contentType ?? contentType,
    condition,
    ability: options.keepHistory ? 'gaia/archive' : 'gaia/store',
    retryConflicts,
    signal,
    onProgress,
  }
  if (!goesDirectly(transport, body.size)) return storeAtHub(transport, shipment)
  const uploaded = await uploadDirectly(transport, shipment)
  return 'etag' in uploaded ? uploaded.etag : storeInstead(transport, shipment, uploaded)
}

function checkSize({ hub }: Transport, size: number | null): void {
  if (size === null || hub.maxFileBytes === null || size <= hub.maxFileBytes) return
  throw new PayloadTooLargeError(`a file may have at most ${hub.maxFileBytes} bytes at this hub`)
}

/** A hub that is made for smaller requests may refuse what its storage would have taken: then both are told. */
async function storeInstead(
  transport: Transport,
  shipment: Shipment,
  { because, answerLost }: { because: string; answerLost: boolean },
): Promise<string> {
  try {
    return await storeAtHub(transport, shipment, answerLost)
  } catch (error) {
    if (error instanceof MandateError && error.status !== 412 && error.status !== 409) {
      error.message += `; it went through the hub, because ${because}`
    }
    throw error
  }
}

async function storeAtHub(
  transport: Transport,
  { path, body, contentType, condition, ability, ...settings }: Shipment,
  answerLost = false,
): Promise<string> {
  const response = await transport.request({
    method: 'POST',
    url: transport.hubPath('store', path),
    headers: { 'Content-Type': contentType, ...condition },
    body,
    needs: [{ ability, path, size: body.size, contentType }],
    answerLost,
    ...settings,
  })
  return readEtag(response)
}

async function readEtag(response: Response): Promise<string> {
  const answer: unknown = await response.json().catch(() => null)
  const etag = typeof answer === 'object' && answer !== null && 'etag' in answer ? answer.etag : null
  if (typeof etag !== 'string') throw new BadAnswerError('the hub took the file and did not say its etag')
  return etag
}

/**
 * The etag of what was just stored. What is there now may be of somebody else already, and taking its etag for that of
 * one's own would let the next put replace it unseen: so its bytes must be the same.
 */
async function findEtag(
  transport: Transport,
  path: string,
  { body }: Content,
  signal: AbortSignal | undefined,
): Promise<string> {
  const etag = body.replayable ? await etagIfStored(transport, path, body, signal) : null
  if (etag !== null) return etag
  const error = new BadAnswerError(
    `the storage took "${path}" and its answer could not be read for the etag: the CORS rules of the bucket must expose it. Read the file to go on`,
  )
  error.answerLost = true
  throw error
}
