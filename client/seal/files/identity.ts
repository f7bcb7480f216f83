import { addressOfDid } from '../../did.ts'
import type { OpeningKey } from '../opening-key.ts'
import { makeStatement, statementPath } from '../statement.ts'
import { contextAt, type SealContext } from './context.ts'
import { lastPublished, type Pin, setPin } from './resolve.ts'

/** What is to change in one's own key statement. */
export interface PublishedKeys {
  /** The key that others are to seal for; the one that is published already by default. */
  readonly key?: OpeningKey | { readonly did: string }
  /** Keys that everything sealed for this identity is to be sealed for too. */
  readonly recovery?: readonly string[]
}

/**
 * Publishes, signed, which key files are to be sealed for, at the signer's own address.
 * @throws {SealError} `no-encryption-key` where none is given and none was published
 */
export async function publishKeys(context: SealContext, { key, recovery }: PublishedKeys): Promise<void> {
  const { did, transport } = context.connection
  const home = contextAt(context, addressOfDid(did))
  let published: Pin | null = null
  await home.connection.update(
    statementPath,
    async () => {
      const former = await lastPublished(context)
      published = {
        version: Math.max(Math.floor(transport.now()), (former?.version ?? 0) + 1),
        key: key?.did ?? former?.key ?? context.keys[0]?.did ?? did,
        recovery: recovery ?? former?.recovery ?? [],
      }
      return makeStatement(transport.signer, published)
    },
    { contentType: 'application/json', idempotent: true },
  )
  if (published !== null) await setPin(context, did, published)
  context.resolved.clear()
}
