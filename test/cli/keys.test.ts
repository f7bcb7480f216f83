import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { expect } from 'chai'
import { privateKeyOfPhrase, slip10Key, standardPath } from '../../client/cli/keys/derive.ts'
import type { Keyring } from '../../client/cli/keys/keyring.ts'
import { keyOf, suiteMachines } from './cli-stage.ts'

const phrase = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'

describe('keys of the command line', () => {
  const suite = suiteMachines()

  describe('from phrases', () => {
    // SLIP-0010, test vectors 1: seed 000102…0f, chain m/0'/1'/2'/2'/1000000000'.
    const seed = hexToBytes('000102030405060708090a0b0c0d0e0f')
    const vectors = [
      ['ed25519', "m/0'", '68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3'],
      [
        'ed25519',
        "m/0'/1'/2'/2'/1000000000'",
        '8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793',
      ],
      ['p256', "m/0'", '6939694369114c67917a182c59ddb8cafc3004e63ca5d3b84403ba8613debc0c'],
    ] as const
    for (const [kind, path, expected] of vectors) {
      it(`derives the key of SLIP-0010 for ${kind} at ${path}`, () => {
        expect(bytesToHex(slip10Key(kind, seed, path))).to.equal(expected)
      })
    }

    it('derives the key of BIP-32 for secp256k1', async () => {
      // BIP-39's seed of this phrase, and the first address of BIP-44 that wallets show for it.
      const key = await privateKeyOfPhrase('secp256k1', phrase, "m/44'/0'/0'/0/0")
      expect(key).to.equal('e284129cc0922579a535bbf4d1a3b25773090d28c909bc0fed73b5e0222cc372')
    })

    it('gives the address that wallets show for a phrase and a path', async () => {
      const machine = await suite.machine()
      await machine.ok(['key', 'import', 'wallet', '--path', "m/44'/0'/0'/0/0"], { stdin: `${phrase}\n` })
      expect((await keyOf(machine, 'wallet')).address).to.equal('1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA')
    })

    for (const path of ['m', "44'/0'", 'm/x', "m/4294967296'", "m/0'/../1", "m/0/1'"]) {
      it(`refuses the path ${path} for ed25519`, async () => {
        const machine = await suite.machine()
        const done = await machine.run(['key', 'import', 'k', '--type', 'ed25519', '--path', path], {
          stdin: phrase,
        })
        expect(done.status).to.equal(2)
        expect(done.stderr).to.include(standardPath)
      })
    }
  })

  for (const kind of ['secp256k1', 'ed25519', 'p256']) {
    it(`come back from their backup: ${kind}`, async () => {
      const machine = await suite.machine()
      await machine.ok(['key', 'new', 'alice', '--type', kind])
      const { stdout } = await machine.ok(['key', 'backup', 'alice'])
      expect(stdout.trim().split(' ')).to.have.lengthOf(24)
      await machine.ok(['key', 'import', 'again', '--from', '-'], { stdin: stdout })
      expect(await keyOf(machine, 'again')).to.deep.equal(await keyOf(machine, 'alice'))
    })
  }

  it('are taken as the hex digits of Stacks libraries, and given back as such', async () => {
    const machine = await suite.machine()
    const hex = 'a5c61c6ca7b3e7e55edee68566aeab22e4da26baa285c7bd10e8d2218aa3b229'
    await machine.ok(['key', 'import', 'app', '--from', '-'], { stdin: `${hex}01\n` })
    expect((await machine.ok(['key', 'backup', 'app'])).stdout).to.equal(`${hex}\n`)
  })

  it('lie in files that only their owner can read, in a folder of the same kind', async () => {
    const machine = await suite.machineOf('alice')
    const folder = join(machine.home, '.config/mandate/keys')
    expect(await readdir(folder)).to.deep.equal(['alice.json'])
    expect((await stat(join(folder, 'alice.json'))).mode & 0o777).to.equal(0o600)
    expect((await stat(folder)).mode & 0o777).to.equal(0o700)
  })

  it('are not used from a file that others can read', async () => {
    const machine = await suite.machineOf('alice')
    const file = join(machine.home, '.config/mandate/keys/alice.json')
    await chmod(file, 0o644)
    const { status, stderr } = await machine.run(['ls'])
    expect(status).to.equal(8)
    expect(stderr).to.include(`chmod 600 '${file}'`)
  })

  it('are never overwritten, and a backup overwrites nothing', async () => {
    const machine = await suite.machineOf('alice')
    const before = await keyOf(machine, 'alice')
    expect((await machine.run(['key', 'new', 'alice'])).status).to.equal(4)
    expect((await machine.run(['key', 'import', 'alice'], { stdin: phrase })).status).to.equal(4)
    expect(await keyOf(machine, 'alice')).to.deep.equal(before)
    await machine.write('notes.txt', 'mine')
    expect((await machine.run(['key', 'backup', 'alice', '--out', 'notes.txt'])).status).to.equal(4)
    expect(await machine.read('notes.txt')).to.equal('mine')
  })

  it('say what is wrong with a phrase without repeating it', async () => {
    const machine = await suite.machine()
    const wrong = phrase.replace('about', 'mallory')
    const { status, stderr } = await machine.run(['key', 'import', 'k'], { stdin: wrong })
    expect(status).to.equal(7)
    expect(stderr).to.include('word 12').and.not.include('mallory').and.not.include('abandon')
    const checksum = await machine.run(['key', 'import', 'k'], { stdin: phrase.replace('about', 'abandon') })
    expect([checksum.status, checksum.stderr.includes('checksum')]).to.deep.equal([7, true])
  })

  it('never stand on the command line: what is given there is refused and not repeated', async () => {
    const machine = await suite.machineOf('alice')
    const hex = 'a5c61c6ca7b3e7e55edee68566aeab22e4da26baa285c7bd10e8d2218aa3b229'
    for (const json of [[], ['--json']]) {
      const { status, stdout, stderr } = await machine.run(['ls', '--as', hex, ...json])
      expect(status).to.equal(2)
      expect(stdout + stderr).not.to.include(hex)
    }
  })

  it('act from a variable where a machine keeps none, whatever their kind', async () => {
    const machine = await suite.machine()
    const hex = '11'.repeat(32)
    for (const MANDATE_KEY of [phrase, `ed25519:${phrase}`, `p256:${hex}`]) {
      await machine.ok(['put', '-', 'a.txt'], { stdin: 'mine', env: { MANDATE_KEY } })
      expect((await machine.ok(['cat', 'a.txt'], { env: { MANDATE_KEY } })).stdout).to.equal('mine')
    }
    expect(await readdir(machine.home)).to.deep.equal(['work'])
  })

  it('are asked for where there is none, with status 8', async () => {
    const machine = await suite.machine()
    const { status, stderr } = await machine.run(['ls'])
    expect([status, stderr.includes('mandate key new')]).to.deep.equal([8, true])
  })

  it('are removed only by who says so', async () => {
    const machine = await suite.machineOf('alice')
    expect((await machine.run(['key', 'rm', 'alice'])).status).to.equal(2)
    await machine.ok(['key', 'rm', 'alice', '--yes'])
    expect((await machine.run(['key', 'show', 'alice'])).status).to.equal(8)
  })

  for (const name of ['../alice', 'a/b', '', '1abc', 'a'.repeat(25), 'a b']) {
    it(`have no name that leads elsewhere: ${JSON.stringify(name)}`, async () => {
      const machine = await suite.machine()
      expect((await machine.run(['key', 'new', name])).status).to.equal(2)
    })
  }

  it('that are damaged are told by name, and nothing of them is', async () => {
    const machine = await suite.machineOf('alice')
    const file = join(machine.home, '.config/mandate/keys/alice.json')
    const text = await readFile(file, 'utf8')
    const secret = (JSON.parse(text) as { secret: { privateKey: string } }).secret.privateKey
    await writeFile(file, text.replace(secret, secret.replace(/^../, secret.startsWith('0a') ? '0b' : '0a')))
    const other = await machine.run(['ls'])
    expect([other.status, other.stderr.includes('another key')]).to.deep.equal([8, true])
    await writeFile(file, text.slice(0, -30))
    const cut = await machine.run(['ls'])
    expect([cut.status, cut.stderr.includes(secret)]).to.deep.equal([8, false])
  })

  describe('in the keyring of the system', () => {
    const fakeKeyring = () => {
      const items = new Map<string, string>()
      const keyring: Keyring = {
        read: (name) => items.get(name) ?? null,
        write: (name, secret) => void items.set(name, secret),
        remove: (name) => void items.delete(name),
      }
      return { items, openKeyring: () => Promise.resolve(keyring) }
    }

    it('leave no secret in a file, act, and go with it', async () => {
      const machine = await suite.machine()
      const { items, openKeyring } = fakeKeyring()
      await machine.ok(['key', 'new', 'alice', '--store', 'keyring'], { openKeyring })
      const { privateKey } = JSON.parse(items.get('alice') ?? '{}') as { privateKey: string }
      expect(privateKey).to.have.lengthOf(64)
      const file = await readFile(join(machine.home, '.config/mandate/keys/alice.json'), 'utf8')
      expect(file).not.to.include(privateKey).and.not.include('phrase')
      await machine.ok(['put', '-', 'a.txt'], { stdin: 'mine', openKeyring })
      await machine.ok(['key', 'rm', 'alice', '--yes'], { openKeyring })
      expect(items.size).to.equal(0)
    })

    it('are told with status 8 where the secret is gone', async () => {
      const machine = await suite.machine()
      const { items, openKeyring } = fakeKeyring()
      await machine.ok(['key', 'new', 'alice', '--store', 'keyring'], { openKeyring })
      items.clear()
      expect((await machine.run(['ls'], { openKeyring })).status).to.equal(8)
    })
  })

  it('and profiles of damaged settings are not guessed at', async () => {
    const machine = await suite.machine()
    await mkdir(join(machine.home, '.config/mandate'), { recursive: true })
    await writeFile(join(machine.home, '.config/mandate/config.json'), '{"profile": 1}')
    const { status, stderr } = await machine.run(['key', 'show'])
    expect([status, stderr.includes('damaged')]).to.deep.equal([1, true])
  })
})
