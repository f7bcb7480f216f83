import { addressOfDid } from '../../../../client/did.ts'
import { type SealedFiles, type SealOptions, sealedFiles } from '../../../../client/seal/index.ts'
import { generateOpeningKey, type OpeningKey, stacksOpeningKey } from '../../../../client/seal/opening-key.ts'
import { signUcan } from '../../../../client/sign-ucan.ts'
import type { Signer } from '../../../../client/signers/signer.ts'
import { generateStacksSigner } from '../../../../client/signers/stacks-signer.ts'
import { generateSigner } from '../../../../client/signers/web-crypto-signer.ts'
import type { SdkStage } from '../../sdk-stage.ts'

/** Somebody with a signer, a connection to the own address, and keys that open. */
export interface Person {
  readonly signer: Signer
  readonly did: string
  readonly address: string
  readonly key: OpeningKey
  readonly files: SealedFiles
}

export interface PersonOptions extends SealOptions {
  fetch?: typeof fetch
  now?: () => number
}

/** Somebody with a Stacks key, which signs and opens. */
export async function stacksPerson(stage: SdkStage, options: PersonOptions = {}): Promise<Person> {
  const signer = generateStacksSigner()
  return personOf(stage, signer, stacksOpeningKey(signer), options)
}

/** Somebody whose signing key only signs, with a published key beside it. */
export async function webPerson(
  stage: SdkStage,
  kind: 'P-256' | 'Ed25519' = 'P-256',
  options: PersonOptions = {},
): Promise<Person> {
  const key = await generateOpeningKey(kind === 'P-256' ? 'P-256' : 'X25519')
  const person = await personOf(stage, await generateSigner(kind), key, options)
  await person.files.publishKeys({ key })
  return person
}

export async function personOf(
  stage: SdkStage,
  signer: Signer,
  key: OpeningKey,
  { fetch, now, ...options }: PersonOptions = {},
): Promise<Person> {
  const did = await signer.did()
  const connection = await stage.connect({
    signer,
    ...(fetch === undefined ? {} : { fetch }),
    ...(now === undefined ? {} : { now }),
  })
  return {
    signer,
    did,
    address: addressOfDid(did),
    key,
    files: sealedFiles(connection, { keys: [key], ...options }),
  }
}

/** The same person on another device, or with other options. */
export function again(
  stage: SdkStage,
  { signer, key }: Person,
  options: PersonOptions = {},
): Promise<Person> {
  return personOf(stage, signer, key, options)
}

/** Lets somebody write at an address, by a grant that the hub holds. */
export async function allow(
  owner: Person,
  writer: Person,
  path: string,
  can: string,
  nb?: { createOnly: true },
): Promise<void> {
  const ucan = await signUcan(owner.signer, {
    audience: writer.did,
    capabilities: [{ with: `gaia://${owner.address}/${path}`, can, ...(nb === undefined ? {} : { nb }) }],
    issuedAt: Math.floor(Date.now() / 1000),
    expiration: Math.floor(Date.now() / 1000) + 3600,
  })
  const { transport } = owner.files.connection
  await transport.requestJson('grant', { ucan }, { needs: [{ ability: '*', path: '' }] })
}

export interface WatchedFetch {
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  /** Bytes of the bodies that were sent as a whole, and of all answers. */
  sent: number
  received: number
  readonly requests: string[]
  /** Called before each request. */
  onRequest: () => void
}

/** Counts what goes over the network. */
export function watchedFetch(): WatchedFetch {
  const requests: string[] = []
  const watched: WatchedFetch = Object.assign(
    async (input: RequestInfo | URL, init: RequestInit = {}) => {
      const url = input instanceof Request ? input.url : String(input)
      requests.push(`${init.method ?? 'GET'} ${new URL(url).pathname}`)
      watched.onRequest()
      if (typeof init.body === 'string' || init.body instanceof Uint8Array) watched.sent += init.body.length
      const response = await fetch(input, init)
      watched.received += Number(response.headers.get('content-length') ?? 0)
      return response
    },
    { sent: 0, received: 0, requests, onRequest: () => undefined },
  )
  return watched
}
