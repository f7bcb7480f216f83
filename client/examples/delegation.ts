/**
 * Alice lets Bob write to her photos, Bob lets Carol write to those of 2026, and Alice takes it back.
 *
 *     node build/client/examples/delegation.js http://localhost:3000
 *
 * Ends with status 1 where the hub answers anything but what is expected here.
 */
import { type Connection, connect, generateStacksSigner, MandateError, Wallet } from '../index.ts'

const hub = process.argv[2] ?? 'http://localhost:3000'
const alice = await connect({ hub, signer: generateStacksSigner() })

// Bob and Carol write in Alice's bucket; what they are given goes into their wallets.
const [bobsWallet, carolsWallet] = [new Wallet(), new Wallet()]
const writer = { hub, address: alice.address }
const bob = await connect({ ...writer, signer: generateStacksSigner(), wallet: bobsWallet })
const carol = await connect({ ...writer, signer: generateStacksSigner(), wallet: carolsWallet })

// Alice grants Bob her photos for 30 days. With gaia/grant he can deposit what he hands on.
const bobsGrant = await alice.delegate({
  to: bob.did,
  path: 'photos/',
  can: ['store', 'grant'],
  expires: '30d',
})
await alice.grant(bobsGrant)
await bobsWallet.add(bobsGrant)
await isDone('Bob writes', bob.put('photos/cat.txt', 'a cat'))
await isRefused('not-covered', 'Bob writes elsewhere', bob.put('diary.txt', 'dear diary'))

// Bob hands on less than he has: one folder, one day, 1 MiB a file.
const carolsGrant = await bob.delegate({
  to: carol.did,
  path: 'photos/2026/',
  can: 'store',
  caveats: { maxSize: 1_048_576 },
  expires: '1d',
  via: bobsGrant,
})

// Deposited, it serves any client: Carol's credential is one that knows nothing of UCAN.
await bob.grant(carolsGrant)
await isDone('Carol writes', carol.put('photos/2026/sun.txt', 'a sun'))
await isRefused('not-covered', 'Carol writes elsewhere', carol.put('photos/cat.txt', 'no cat'))
await isRefused('not-covered', 'Carol writes 2 MiB', carol.put('photos/2026/big.txt', 'x'.repeat(2_097_152)))

// In her wallet it need not be deposited: the request carries the chain.
await carolsWallet.add(carolsGrant)
await isDone('Carol invokes', carol.put('photos/2026/moon.txt', 'a moon'))

// Alice ends Bob's delegation, and with it whatever rests on it.
await alice.revoke(bobsGrant)
await isRefused('revoked', 'Bob writes', bob.put('photos/cat.txt', 'another cat'))
await isRefused('revoked', 'Carol writes', carol.put('photos/2026/sun.txt', 'another sun'))

type Result = ReturnType<Connection['put']>

async function isDone(what: string, put: Result): Promise<void> {
  const { publicUrl } = await put
  console.log(`${what}: ${publicUrl}`)
}

async function isRefused(code: string, what: string, put: Result): Promise<void> {
  const error = await put.then(
    () => null,
    (refusal: unknown) => refusal,
  )
  if (!(error instanceof MandateError) || error.code !== code) throw new Error(`${what}: expected ${code}`)
  console.log(`${what}: ${error.code}`)
}
