import { expect } from 'chai'
import { openingKeysOf } from '../../client/cli/keys/opening.ts'
import { keyOf, suiteMachines } from './cli-stage.ts'
import { errorOf, sealedPeople } from './sealed-people.ts'

describe('keys of sealed files by the command line', () => {
  const suite = suiteMachines(() => ({ maxFileUploadSizeMegabytes: 8 }))
  const trust = '--trust-first'

  /** Alice with a Stacks key; Bob with a key that only signs, and so has published another. */
  async function aliceAndBob(kind = 'ed25519') {
    const { alice } = await sealedPeople(suite, ['alice'])
    const { bob } = await sealedPeople(suite, ['bob'], kind)
    const [published] = (await bob.machine.ok(['key', 'publish', '--json'])).json()
    return { alice, bob, fingerprint: String(published?.fingerprint) }
  }

  // Made with node:crypto (HKDF, X25519, ECDH), from the private key 11…11.
  const derived = [
    ['secp256k1', 'did:key:zQ3shjyJXUaRJC2GC43mX8aPrUhoTdoiongXhZjsdTzPKYZUM'],
    ['ed25519', 'did:key:z6LSkify5H8wVqyusZxJJ3L7Z1T4m5KqtwNQWHP58aH5huJ4'],
    ['p256', 'did:key:zDnaeYERHVp25zE2G86edrK5pm3xUDRBUwB3nCrqn8HMJdegB'],
  ] as const
  for (const [kind, did] of derived) {
    it(`are the same in every version, for an ${kind} key`, async () => {
      const [key] = await openingKeysOf(kind, { privateKey: '11'.repeat(32) })
      expect(key?.did).to.equal(did)
    })
  }

  for (const kind of ['ed25519', 'p256']) {
    it(`come from an ${kind} key, so that its backup opens what is sealed for it`, async () => {
      const { alice, bob, fingerprint } = await aliceAndBob(kind)
      const own = await bob.machine.ok(['key', 'fingerprint'])
      expect(own.stdout).to.include(fingerprint)
      await alice.machine.ok(['put', '-', 'a', '--seal-for', bob.did, trust], { stdin: 'for bob' })
      const { stdout: backup } = await bob.machine.ok(['key', 'backup'])
      expect(backup.trim().split(/\s/)).to.have.lengthOf(12)
      const other = await suite.machine()
      await other.ok(['key', 'import', 'bob', '--from', '-'], { stdin: backup })
      expect((await other.ok(['cat', `${alice.address}:a`])).stdout).to.equal('for bob')
    })
  }

  it('that are used for the first time are to be confirmed, by their fingerprints', async () => {
    const { alice, bob, fingerprint } = await aliceAndBob()
    const put = (...more: string[]) => ['put', '-', 'a', '--force', '--seal-for', bob.address, ...more]
    const refused = await alice.machine.run(put('--json'), { stdin: 'x' })
    expect(refused.status).to.equal(9)
    expect(errorOf(refused)).to.include({ code: 'unconfirmed-key', did: bob.did, fingerprint })
    const wrong = '00000 '.repeat(8).trim()
    expect((await alice.machine.run(put('--confirm-key', wrong), { stdin: 'x' })).status).to.equal(9)
    expect((await alice.machine.run(['ls', 'a'])).status).to.equal(3)
    const seen = await alice.machine.ok(['key', 'fingerprint', bob.did])
    expect(seen.stdout).to.include(fingerprint)
    expect(seen.stderr).to.include('not used on this machine before')
    await alice.machine.ok(put('--confirm-key', fingerprint), { stdin: 'x' })
    await alice.machine.ok(put(), { stdin: 'again, without a question' })
    expect((await alice.machine.ok(['key', 'fingerprint', bob.did])).stderr).to.include(
      'is the one that was used',
    )
  })

  it('are asked about at a terminal, with the fingerprint to compare', async () => {
    const { alice, bob, fingerprint } = await aliceAndBob()
    await alice.machine.ok(['put', '-', 'a', '--seal-for', 'alice'], { stdin: 'x' })
    const share = ['share', 'a', bob.did]
    for (const [answer, status] of [
      ['n', 1],
      ['y', 0],
    ] as const) {
      const asked = await alice.machine.run(share, { isTerminal: true, stdin: `${answer}\n` })
      expect([asked.status, asked.stderr.includes(fingerprint)]).to.deep.equal([status, true])
    }
    expect((await bob.machine.ok(['cat', `${alice.address}:a`])).stdout).to.equal('x')
  })

  it('that have changed are refused with both fingerprints, until the new one is confirmed', async () => {
    const { alice, bob, fingerprint } = await aliceAndBob()
    await alice.machine.ok(['put', '-', 'a', '--seal-for', bob.did, trust], { stdin: 'x' })
    const [rotated] = (await bob.machine.ok(['key', 'rotate', '--json'])).json()
    const put = (...more: string[]) => ['put', '-', 'b', '--seal-for', bob.did, ...more]
    for (const more of [[], [trust]]) {
      const refused = await alice.machine.run(put(...more), { stdin: 'y\n', isTerminal: true })
      expect(refused.status).to.equal(9)
      expect(refused.stderr).to.include(fingerprint).and.include(String(rotated?.fingerprint))
    }
    await alice.machine.ok(put('--confirm-key', String(rotated?.fingerprint)), { stdin: 'y' })
    for (const name of ['a', 'b']) await bob.machine.ok(['cat', `${alice.address}:${name}`])
  })

  it('are none where nothing was published, and no file is sealed for a guess', async () => {
    const { alice } = await sealedPeople(suite, ['alice'])
    const { bob } = await sealedPeople(suite, ['bob'], 'ed25519')
    const { carol } = await sealedPeople(suite, ['carol'])
    for (const who of [bob.did, carol.address]) {
      const refused = await alice.machine.run(['put', '-', 'a', '--seal-for', who, '--json'], { stdin: 'x' })
      expect([refused.status, errorOf(refused).code]).to.deep.equal([9, 'no-encryption-key'])
    }
    await carol.machine.ok(['key', 'publish'])
    await alice.machine.ok(['put', '-', 'a', '--seal-for', carol.address, trust], { stdin: 'x' })
    expect((await carol.machine.ok(['cat', `${alice.address}:a`])).stdout).to.equal('x')
  })

  it('are rotated, go on after an interruption, and open old and new from their new backup alone', async () => {
    const { alice, bob } = await sealedPeople(suite, ['alice', 'bob'])
    for (const name of ['a', 'b']) {
      await alice.machine.ok(['put', '-', `d/${name}`, '--seal-for', 'alice'], { stdin: name })
    }
    const { stdout: oldBackup } = await alice.machine.ok(['key', 'backup'])
    const controller = new AbortController()
    const stopping: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init)
      const url = input instanceof Request ? input.url : input.toString()
      if (init?.method === 'POST' && url.endsWith('/d/a')) controller.abort()
      return answer
    }
    const stopped = await alice.machine.run(['key', 'rotate', '--json'], {
      fetch: stopping,
      signal: controller.signal,
    })
    expect(stopped.status).to.equal(130)
    const { stdout: backup } = await alice.machine.ok(['key', 'backup'])
    const rotated = await alice.machine.ok(['key', 'rotate'])
    expect(rotated.stdout).to.include('wrapped d/b\n').and.not.include('wrapped d/a')
    // The run that went on has made no key of its own.
    expect((await alice.machine.ok(['key', 'backup'])).stdout).to.equal(backup)
    await bob.machine.ok(['put', '-', 'c', '--seal-for', alice.did, trust], { stdin: 'c' })
    for (const place of ['d/a', 'd/b', `${bob.address}:c`]) {
      expect((await alice.machine.ok(['cat', place])).stdout).to.equal(place.slice(-1))
    }
    await alice.machine.write('old.txt', oldBackup)
    await alice.machine.write('new.txt', backup)
    expect((await alice.machine.ok(['key', 'recover', '--from', 'new.txt', '--json'])).json()[0]).to.include({
      opened: 2,
    })
    const old = await alice.machine.run(['key', 'recover', '--from', 'old.txt', '--json'])
    expect(old.status).to.equal(9)
    expect(old.json()[0]).to.deep.equal({ opened: 0, missing: ['d/a', 'd/b'], others: 0 })
  })

  it('wrap what is sealed for a former one elsewhere, and make none for that', async () => {
    const { alice, bob } = await sealedPeople(suite, ['alice', 'bob'])
    const { stdout } = await alice.machine.ok(['delegate', 'team/', '--to', bob.did, '--can', 'store,list'])
    await bob.machine.ok(['receive', '-'], { stdin: stdout })
    await alice.machine.ok(['put', '-', 'team/a', '--seal-for', bob.did], { stdin: 'x' })
    const place = `${alice.address}:team/`
    expect((await bob.machine.run(['key', 'rotate', place])).status).to.equal(2)
    const [rotated] = (await bob.machine.ok(['key', 'rotate', '--json'])).json()
    const done = (await bob.machine.ok(['key', 'rotate', place, '--json'])).json()
    expect(done.at(-1)).to.deep.include({ key: rotated?.key, changed: 1 })
    const recipients = (await bob.machine.ok(['recipients', `${place}a`, '--json'])).json()
    expect(recipients.map(({ key }) => key)).to.have.members([alice.did, rotated?.key])
  })

  it('have recovery keys, which a drill tries alone', async () => {
    const { alice, bob } = await sealedPeople(suite, ['alice', 'bob'])
    await alice.machine.ok(['put', '-', 'before', '--seal-for', bob.did], { stdin: 'before' })
    await alice.machine.ok(['key', 'new', 'rescue', '--words', '12'])
    await alice.machine.ok(['key', 'publish', '--recovery', 'rescue'])
    await alice.machine.ok(['key', 'backup', 'rescue', '--out', 'rescue.phrase'])
    await alice.machine.ok(['key', 'rm', 'rescue', '--yes'])
    // What others are asked to compare, her own machine prints too.
    const [shown] = (await alice.machine.ok(['key', 'fingerprint', '--json'])).json()
    const [asBobSeesIt] = (await bob.machine.ok(['key', 'fingerprint', alice.did, '--json'])).json()
    expect(shown).to.deep.equal(asBobSeesIt)
    expect(shown?.recovery).to.have.length(1)
    await alice.machine.ok(['put', '-', 'after', '--seal-for', bob.did], { stdin: 'after' })
    await bob.machine.ok(['put', '-', 'by-bob', '--seal-for', alice.did, trust], { stdin: 'by bob' })
    const drill = ['key', 'recover', '--from', 'rescue.phrase']
    const first = await alice.machine.run(drill)
    expect(first.status).to.equal(9)
    expect(first.stdout).to.equal('opens one file to the last byte\ndoes not open before\n')
    await alice.machine.ok(['share', '-r', ':', 'alice'])
    expect((await alice.machine.ok(drill)).stdout).to.equal('opens 2 files to the last byte\n')
    const rescuer = await suite.machine()
    await rescuer.ok(['key', 'import', 'rescue', '--from', '-'], {
      stdin: await alice.machine.read('rescue.phrase'),
    })
    for (const [place, content] of [
      [`${alice.address}:before`, 'before'],
      [`${bob.address}:by-bob`, 'by bob'],
    ] as const) {
      const read = await rescuer.ok(['cat', place])
      expect([read.stdout, read.stderr.includes('a recovery key of')]).to.deep.equal([content, true])
    }
    await alice.machine.ok(['key', 'publish', '--no-recovery'])
    await alice.machine.ok(['put', '-', 'later', '--seal-for', bob.did], { stdin: 'later' })
    expect((await rescuer.run(['cat', `${alice.address}:later`])).status).to.equal(9)
    expect((await alice.machine.run(['key', 'recover'])).status).to.equal(2)
  })

  it('of groups open for their members, and not for who was removed', async () => {
    const { alice, bob, carol, mallory } = await sealedPeople(suite, ['alice', 'bob', 'carol', 'mallory'])
    const [made] = (
      await alice.machine.ok(['group', 'create', 'teams/board', bob.did, carol.did, '--json'])
    ).json()
    const group = String(made?.group)
    expect((await mallory.machine.run(['group', 'join', group])).status).to.equal(9)
    for (const { machine } of [bob, carol]) await machine.ok(['group', 'join', group])
    const before = `${bob.address}:before`
    await bob.machine.ok(['put', '-', 'before', '--seal-for', group], { stdin: 'before' })
    await alice.machine.ok(['put', '-', 'plans/a', '--seal-for', 'teams/board'], { stdin: 'a' })
    const readA = ['cat', `${alice.address}:plans/a`]
    for (const { machine } of [bob, carol]) expect((await machine.ok(readA)).stdout).to.equal('a')
    expect((await alice.machine.ok(['cat', before])).stdout).to.equal('before')
    expect((await mallory.machine.run(readA)).status).to.equal(9)

    await alice.machine.ok(['group', 'remove', 'teams/board', carol.did])
    const members = (await alice.machine.ok(['group', 'members', 'teams/board', '--json'])).json()
    expect(members.map(({ did }) => did)).to.have.members([alice.did, bob.did])
    const refreshed = await alice.machine.ok(['group', 'refresh', 'teams/board', 'plans/'])
    expect(refreshed.stdout).to.equal('sealed anew plans/a\n')
    await alice.machine.ok(['put', '-', 'plans/b', '--seal-for', 'teams/board'], { stdin: 'b' })
    for (const name of ['a', 'b']) {
      const place = `${alice.address}:plans/${name}`
      expect((await carol.machine.run(['cat', place])).status).to.equal(9)
      expect((await bob.machine.ok(['cat', place])).stdout).to.equal(name)
    }
    await alice.machine.ok(['group', 'add', 'teams/board', carol.did])
    expect((await carol.machine.ok(['cat', `${alice.address}:plans/b`])).stdout).to.equal('b')
    expect((await carol.machine.ok(['group', 'list'])).stdout).to.equal(`${group}\n`)
    await carol.machine.ok(['group', 'leave', group])
    expect((await carol.machine.run(['cat', `${alice.address}:plans/b`])).status).to.equal(9)
    expect((await carol.machine.run(['group', 'leave', group])).status).to.equal(3)
  })

  it('act from a variable, with those that were made later behind the phrase', async () => {
    const { alice } = await sealedPeople(suite, ['alice'])
    await alice.machine.ok(['key', 'rotate'])
    await alice.machine.ok(['put', '-', 'a', '--seal-for', 'alice'], { stdin: 'x' })
    const { stdout: MANDATE_KEY } = await alice.machine.ok(['key', 'backup'])
    const other = await suite.machine()
    expect((await other.ok(['cat', 'a'], { env: { MANDATE_KEY } })).stdout).to.equal('x')
    const refused = await other.run(['key', 'rotate'], { env: { MANDATE_KEY } })
    expect([refused.status, refused.stderr.includes('not kept')]).to.deep.equal([8, true])
    expect(await keyOf(alice.machine, 'alice')).to.include({ did: alice.did })
  })
})
